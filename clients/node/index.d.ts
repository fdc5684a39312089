/** Starts and controls vehicle-ocr-mock. The shapes of documents are in api.d.ts, which is made from the OpenAPI document. */
import type {
  Account,
  AccountDocument,
  ClockView,
  Exchange,
  NearMiss,
  Override,
  OverrideDocument,
  Problem,
  RequestFilter,
  ScenarioDocument,
  ServedScenario,
} from './api.js';

export type * from './api.js';

export interface MockOptions {
  /** Address of a mock that runs. By default VEHICLE_OCR_MOCK_URL; without both, a mock is started. */
  url?: string;
  /** Token of the admin API. By default VEHICLE_OCR_MOCK_ADMIN_TOKEN, for a mock that runs. */
  token?: string;
  /** Fixtures directory of a mock that is started. */
  fixtures?: string | URL;
  /** Further options of `serve`, such as `['--tls', '--strict']`. */
  options?: string[];
  /** The command, by default `vehicle-ocr-mock`; a list for a command with arguments. */
  command?: string | string[];
  /** Further environment variables of the server. */
  env?: Record<string, string>;
}

export interface OneKey {
  /** Only what belongs to this key. */
  key?: string;
}

/** How many requests are expected: exactly `times`, or between the other two. The default is at least one. */
export interface Times {
  times?: number;
  atLeast?: number;
  atMost?: number;
}

/** A call of the admin API that was refused. */
export class MockError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;
}

/** `verify` has not found the expected number of requests. */
export class VerificationError extends Error {}

/** Start a mock on free ports, or connect to one that runs. Rejects if the server ends before it is ready. */
export function mock(options?: MockOptions): Promise<Mock>;

/** A running mock. State is separate for each key: give each test an account of its own. */
export class Mock {
  constructor(url: string, options?: { tlsUrl?: string | null; token?: string | null });
  /** HTTP address, without a slash at the end. */
  readonly url: string;
  /** HTTPS address; null without `--tls`. */
  readonly tlsUrl: string | null;
  readonly token: string | null | undefined;

  /** Create an account. Without a key one is generated. */
  account(fields?: Partial<AccountDocument>): Promise<Account>;
  getAccount(key: string): Promise<Account>;
  /** Change fields: `{credits: {plate: 2}}` makes the balance 2. */
  updateAccount(key: string, changes: Partial<AccountDocument>): Promise<Account>;
  deleteAccount(key: string): Promise<void>;

  /** Add a scenario, in the form of a fixture file. `image` is the picture that `when.image` stands for. */
  addScenario(document: ScenarioDocument, image?: Uint8Array | ArrayBuffer | Blob): Promise<ServedScenario>;
  scenarios(): Promise<ServedScenario[]>;
  removeScenario(name: string, of?: OneKey): Promise<void>;

  /** Decide what happens to the next calls: one, `times: 3`, or `times: "always"`. */
  override(fields: OverrideDocument): Promise<Override>;
  removeOverrides(of?: OneKey): Promise<void>;

  /** The requests that match the filters, oldest first. */
  requests(filters?: RequestFilter): Promise<Exchange[]>;
  count(filters?: RequestFilter): Promise<number>;
  /** Rejects with VerificationError if another number of requests matches the filters. */
  verify(expected?: RequestFilter & Times): Promise<void>;
  /** The requests that no scenario matched. */
  unmatched(): Promise<Exchange[]>;
  nearMisses(of?: OneKey): Promise<NearMiss[]>;
  /** Delete requests from the journal; gives how many. */
  clearRequests(of?: OneKey): Promise<number>;

  /** The clock; with a change such as `{advance: "31d"}` or `{freeze: "2026-12-01T00:00:00Z"}`, set it. */
  clock(change?: { freeze?: string; advance?: string }): Promise<ClockView>;
  /** Back to the files: runtime scenarios, counters, journal, clock. */
  reset(of?: OneKey): Promise<void>;

  /** Call the admin API below /__admin, for what has no method here. */
  call(method: string, path: string, document?: unknown): Promise<unknown>;
  /** End the server, if `mock()` has started it. */
  stop(): Promise<void>;
}
