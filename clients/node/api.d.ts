// Made by `python -m scripts.node_types` from the OpenAPI document. Do not edit.

export interface Account {
  /** The API key. */
  key: string;
  name: string;
  status: "active" | "inactive" | "disabled" | "blocked";
  /** Products that the account may use. */
  plans: Array<string>;
  /** Prepaid units that are left, by product; None if unlimited. */
  credits: Record<string, number | "unlimited">;
  /** Requests in the current period, by product. `shared` is there if the account has one quota for all products. */
  quota: Record<string, QuotaView>;
  /** When the quota is renewed. */
  quota_period: "month" | "never";
  /** Name of the subscription tier. */
  tier: string;
  /** Whether requests over the quota succeed. */
  overage: boolean;
  /** Such as 5/second; None if unlimited. */
  rate_limit: string | null;
  /** Whether requests with the same `Idempotency-Key` are charged once. */
  wallet: boolean;
}

export interface AccountDocument {
  /** The API key. */
  key?: string | number | boolean | null;
  /** The name that scenarios use. */
  name?: string | number | boolean | null;
  /** active, inactive, disabled or blocked. */
  status?: "active" | "inactive" | "disabled" | "blocked";
  /** The products that this account may call. */
  plans?: "plate" | "vin" | Array<"plate" | "vin">;
  /** Prepaid units: a number for both products, or {plate, vin}. */
  credits?: number | string | CreditsModel;
  /** Requests in one period: a number for both products, {plate, vin}, or {shared}. */
  quota?: number | string | QuotasModel;
  /** The name of the subscription tier. */
  tier?: string | number | boolean | null;
  /** true: requests over the quota succeed. */
  overage?: boolean | string;
  /** When the quota is renewed: month or never. */
  quota_period?: "month" | "never";
  /** The highest number of requests in a time, e.g. 5/second. */
  rate_limit?: string;
  /** true: requests with the same Idempotency-Key are charged once. */
  wallet?: boolean | string;
}

export interface CandidateModel {
  /** The text. */
  text: string | number | boolean | null | "none";
  /** Its confidence, 0 to 1. `confidence` means the same. */
  score?: number | string | "none";
  /** Its confidence, 0 to 1. */
  confidence?: number | string | "none";
  /** [xmin, ymin, xmax, ymax] in pixels of the upright picture. */
  box?: Array<number | string> | "none";
}

export interface ClockView {
  now: string;
  /** Whether it stands still. */
  frozen: boolean;
  /** Seconds that it is ahead of the system's clock; null if it stands still. */
  offset: number | null;
}

export interface CreditsModel {
  /** Number or unlimited. */
  plate?: number | string;
  /** Number or unlimited. */
  vin?: number | string;
}

export interface DelayModel {
  /** Always the same delay. */
  fixed?: string;
  /** A delay between the two, uniformly distributed. */
  uniform?: Array<string> | null;
  /** A delay mostly near the median, sometimes much longer. */
  lognormal?: LognormalModel | null;
  /** The reply arrives in pieces. */
  dribble?: DribbleModel | null;
}

export interface DribbleModel {
  /** The number of pieces. */
  chunks: number | string;
  /** The time from the first piece to the last. */
  over: string;
}

export interface Exchange {
  /** Id of the request, as in the header `X-Mock-Request-Id`. */
  id: string;
  /** When the mock decided on the reply, by the mock's clock. */
  time: string;
  /** Name of the provider; `-` for a path that nothing serves. */
  provider: string;
  /** What the client wants to have read; null if the provider does not have the path. */
  product: "plate" | "vin" | null;
  /** The API key; at most its last two characters are shown. */
  key: string | null;
  /** A hash of the API key: twelve hexadecimal digits. */
  key_id: string | null;
  /** Name of the account. */
  account: string | null;
  /** What the mock decided; `reply` if a scenario wrote the reply out; null if the mock could not decide. */
  outcome: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required" | "reply" | null;
  /** The documented alternative of the outcome, for outcomes that have some. */
  variant: string | null;
  /** Name of the scenario that decided. */
  scenario: string | null;
  /** How the scenario was found. */
  match: "sha256" | "pixels" | "perceptual" | "url" | "rule" | "synthesized" | "none";
  /** Credits or quota units that the request cost. */
  charged: number;
  /** HTTP status of the reply. */
  status: number;
  /** Time to decide on the reply, without deliberate delays. */
  milliseconds: number;
  /** Deliberate delay in seconds. */
  delay: number;
  /** Deliberate connection fault. */
  fault: "EMPTY_RESPONSE" | "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" | "CONNECTION_RESET_BY_PEER" | "TRUNCATED_BODY" | null;
  /** What was forced, and how: `prefer outcome=service_error` by the client, `chaos service_error` by `mock.yaml`. */
  forced: string | null;
  /** The text that was read from the picture. */
  text: string | null;
  /** The reason for the outcome, in more detail than the reply gives. */
  detail: string | null;
  /** HTTP method. */
  method: string;
  /** Path of the URL. */
  path: string;
  /** The header `User-Agent`. */
  client: string | null;
  /** Name that the client library gives itself. */
  source: string | null;
  /** Undocumented forms that the client used. */
  aliases: Array<string>;
  /** Remarks of the mock about the request. */
  notes: Array<string>;
  /** File name of the upload. */
  filename: string | null;
  /** The image URL, without query and credentials. */
  url: string | null;
  /** Language that the client prefers. */
  language: string | null;
  /** Headers of the request; `…` instead of secrets. */
  headers: Record<string, string>;
  /** Names of fields in the body that the provider does not have. */
  fields: Array<string>;
  /** The picture, if it could be read. */
  image: Picture | null;
  /** For a request that no scenario matched: the most similar known pictures. */
  nearest: Array<Nearest>;
  /** Other scenarios whose conditions held, and why each of them lost. */
  losers: Array<Loser>;
  /** Body of the reply: JSON, or text if it is not JSON or was cut off. */
  reply: unknown;
}

export interface LognormalModel {
  /** Half of the delays are longer than this. */
  median: string;
  /** The length of the tail, e.g. 0.4. */
  sigma: number | string;
  /** The longest delay. */
  max?: string;
}

export interface Loser {
  scenario: string;
  /** Its conditions. */
  held: Array<string>;
  /** The rule of precedence by which it lost. */
  lost_by: "priority" | "error_binding" | "more_conditions" | "runtime" | "picture_distance" | "order";
  /** The rule in words. */
  why: string;
}

export interface NearMiss {
  request: Exchange;
  /** The nearest scenarios, nearest first. */
  scenarios: Array<ScenarioMiss>;
}

export interface Nearest {
  /** Path of the known picture in the fixtures directory. */
  image: string;
  /** Distance between the two pictures; smaller is more similar. */
  distance: number;
  /** The largest distance at which the picture is recognised. */
  limit: number;
  /** Why it was not recognised, such as `other_scene`, `other_text`, `other_detail` or `other_surroundings`. */
  reason: string;
  /** Where the pictures differ: [xmin, ymin, xmax, ymax] in pixels of the picture that was sent. */
  region: Array<unknown> | null;
}

export interface Override {
  id: string;
  /** The API key whose calls it answers; None for all keys. */
  key: string | null;
  /** The provider whose calls it answers; None for all providers. */
  provider: string | null;
  /** The product whose calls it answers; None for all products. */
  product: "plate" | "vin" | null;
  /** Kind of reply; None if the reply is written out. */
  outcome: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required" | null;
  /** Text that replaces the provider's own message. */
  message: string | null;
  /** Documented alternative of the outcome. */
  variant: string | null;
  /** Connection fault instead of a reply. */
  fault: "EMPTY_RESPONSE" | "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" | "CONNECTION_RESET_BY_PEER" | "TRUNCATED_BODY" | null;
  /** Delay of the reply, as in a scenario file. */
  delay: unknown;
  /** Headers that are added to the reply. */
  headers: Record<string, unknown>;
  /** Errors of the recognition itself, as in a scenario file. */
  trouble: Record<string, unknown> | null;
  /** Paths of fields that the reply lacks. */
  omit: Array<string>;
  /** Paths of new fields, with their values. */
  add: Record<string, unknown>;
  /** Reply in place of the provider's: status, headers and body. */
  reply: Record<string, unknown> | null;
  /** Share of the calls that it answers, such as 10%; None for all of them. */
  chance: string | null;
  /** The number of calls that it answers. */
  times: number | "always";
  /** The number of calls that it will still answer. */
  remaining: number | "always";
}

export interface OverrideDocument {
  /** The kind of reply. */
  outcome?: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required";
  /** A text that replaces the provider's own message. */
  message?: string | number | boolean | null;
  /** A documented alternative of this outcome. */
  variant?: string | number | boolean | null;
  /** The number of calls, or always. */
  times?: number | string;
  /** The delay of the reply. */
  delay?: string | DelayModel | null;
  /** A broken connection instead of a reply. */
  fault?: "EMPTY_RESPONSE" | "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" | "CONNECTION_RESET_BY_PEER" | "TRUNCATED_BODY";
  /** Headers that are added to the reply. */
  headers?: Record<string, string | number | boolean | null>;
  /** Errors of the recognition itself. */
  trouble?: TroubleModel | null;
  /** Fields that are left out of the JSON reply: paths of names joined by dots, through lists. */
  omit?: string | number | boolean | null | Array<string | number | boolean | null>;
  /** Fields that the JSON reply gets, by their paths; none is overwritten. */
  add?: Record<string, unknown>;
  /** A reply in place of the provider's. */
  reply?: number | string | ReplyModel | null;
  /** The share of calls that the step answers, e.g. 10%; the next step answers the others. */
  chance?: string;
  /** Only calls with this API key. */
  key?: string | number | boolean | null;
  /** Only calls to this provider. */
  provider?: "carsxe" | "vehicore";
  /** Only calls for this product: plate or vin. */
  product?: "plate" | "vin";
}

export interface Picture {
  /** SHA-256 of its bytes, in hexadecimal. */
  sha256: string;
  /** Name of the image format, such as JPEG. */
  format: string;
  /** Width of the upright picture in pixels. */
  width: number;
  /** Height of the upright picture in pixels. */
  height: number;
  /** Size in bytes. */
  bytes: number;
}

export interface PlateModel {
  /** The text on the plate, kept as written. */
  text: string | number | boolean | null | "none";
  /** Code of the region, e.g. us-ca. */
  region?: string | number | boolean | "none";
  /** Confidence in the region, 0 to 1. */
  region_score?: number | string | "none";
  /** Confidence in the text, 0 to 1. */
  score?: number | string | "none";
  /** Confidence that this is a plate, 0 to 1. */
  dscore?: number | string | "none";
  /** [xmin, ymin, xmax, ymax] in pixels of the upright picture. */
  box?: Array<number | string> | "none";
  /** Possible texts, best first. The plate's own text is added as the first one. */
  candidates?: Array<string | number | boolean | null | CandidateModel> | "none";
  /** The vehicle that carries the plate. */
  vehicle?: string | number | boolean | null | VehicleModel | "none";
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: Array<{ pointer?: string; parameter?: string; part?: string; file?: string; line?: number; column?: number; detail: string; hint?: string; }>;
}

export interface PropertiesModel {
  /** JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, MPO or HEIF. */
  format?: string;
  /** The smallest width in pixels. */
  min_width?: number | string;
  /** The largest width in pixels. */
  max_width?: number | string;
  /** The smallest height in pixels. */
  min_height?: number | string;
  /** The largest height in pixels. */
  max_height?: number | string;
  /** The smallest number of bytes. */
  min_bytes?: number | string;
  /** The largest number of bytes. */
  max_bytes?: number | string;
  /** true: a picture of one colour; false: any other picture. */
  blank?: boolean | string;
}

export interface QuotaModel {
  /** Number or unlimited. */
  limit?: number | string;
  /** The number of requests that are used already. */
  used?: number | string;
}

export interface QuotaView {
  /** Requests that were counted. */
  current: number;
  /** Requests that are allowed; None if unlimited. */
  limit: number | "unlimited";
  /** Requests that are left; None if unlimited. */
  remaining: number | "unlimited";
}

export interface QuotasModel {
  /** Number, unlimited, or {limit, used}. */
  plate?: number | string | QuotaModel;
  /** Number, unlimited, or {limit, used}. */
  vin?: number | string | QuotaModel;
  /** One quota for all products together, which is never renewed: a number, or {limit, used}. */
  shared?: number | string | QuotaModel | null;
}

export interface ReadingModel {
  /** The only plate in the picture. */
  plate?: string | number | boolean | null | PlateModel | null;
  /** Several plates in one picture. */
  plates?: Array<string | number | boolean | null | PlateModel>;
  /** The VIN in the picture. */
  vin?: string | number | boolean | null | VinModel | null;
  /** Other text in the picture, which is not a VIN. */
  text?: string | number | boolean | null;
}

export interface ReplyModel {
  /** The HTTP status. */
  status?: number | string;
  /** The headers of the reply. No other header describes the body. */
  headers?: Record<string, string | number | boolean | null>;
  /** The body, as text. */
  body?: string | number | boolean | null;
  /** A file with the body: a path relative to this file. */
  body_file?: string | number | boolean | null;
}

export interface RequestFilter {
  /** Only requests with this `id`; `-` for requests without. */
  id?: string;
  provider?: "vehicore" | "carsxe" | "-";
  /** Only requests with this `product`; `-` for requests without. */
  product?: "plate" | "vin" | "-";
  /** The full API key; `-` for requests without a key. */
  key?: string;
  /** Only requests with this `key_id`; `-` for requests without. */
  key_id?: string;
  /** Only requests with this `account`; `-` for requests without. */
  account?: string;
  /** Only requests with this `outcome`; `-` for requests without. */
  outcome?: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required" | "reply" | "-";
  /** Only requests with this `variant`; `-` for requests without. */
  variant?: string;
  /** Only requests with this `scenario`; `-` for requests without. */
  scenario?: string;
  /** Only requests with this `match`; `-` for requests without. */
  match?: "sha256" | "pixels" | "perceptual" | "url" | "rule" | "synthesized" | "none" | "-";
  /** Only requests with this `charged`. */
  charged?: number;
  /** Only requests with this `status`. */
  status?: number;
  /** Only requests with this `fault`; `-` for requests without. */
  fault?: "EMPTY_RESPONSE" | "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" | "CONNECTION_RESET_BY_PEER" | "TRUNCATED_BODY" | "-";
  /** Only requests with this `forced`; `-` for requests without. */
  forced?: string;
  /** Only requests with this `text`; `-` for requests without. */
  text?: string;
  /** Only requests with this `detail`; `-` for requests without. */
  detail?: string;
  /** Only requests with this `method`; `-` for requests without. */
  method?: string;
  /** Only requests with this `path`; `-` for requests without. */
  path?: string;
  /** Only requests with this `client`; `-` for requests without. */
  client?: string;
  /** Only requests with this `source`; `-` for requests without. */
  source?: string;
  /** Only requests with this `filename`; `-` for requests without. */
  filename?: string;
  /** Only requests with this `url`; `-` for requests without. */
  url?: string;
  /** Only requests with this `language`; `-` for requests without. */
  language?: string;
  /** Only requests with this `sha256`; `-` for requests without. */
  sha256?: string;
  /** Only requests with this `format`; `-` for requests without. */
  format?: string;
  /** At this time or later: ISO 8601, or Unix seconds. */
  since?: string;
  /** Before this time: ISO 8601, or Unix seconds. */
  until?: string;
  /** Only the latest requests, at most this many. */
  limit?: number;
}

export interface ScenarioDocument {
  /** The name, unique in the directory: lower-case letters, digits and hyphens. */
  scenario: string | number | boolean | null;
  /** A text for people. */
  description?: string | number | boolean | null;
  /** 1 (highest) to 9; 5 is the default. */
  priority?: number | string;
  /** The conditions; all that are given must be met. */
  when?: WhenModel;
  /** What is on the picture. */
  reading?: ReadingModel;
  /** The replies, step by step. Each API key has its own position. */
  then?: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required" | StepModel | Array<"read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required" | StepModel>;
  /** true: it lies over the others, as a scenario that is added at run time does. */
  overlay?: boolean | string;
  /** After the last step: last stays there, cycle starts again. */
  repeat?: "last" | "cycle";
}

export interface ScenarioMiss {
  scenario: string;
  /** The conditions that the request does not meet. */
  failed: Array<string>;
  /** The conditions that it meets. */
  held: Array<string>;
  /** Distance of the scenario's picture to the one that was sent; None if there is none or it is not similar. */
  distance: number | null;
  /** The largest distance at which the picture is recognised. */
  limit: number | null;
  /** Where the pictures differ: [xmin, ymin, xmax, ymax] in pixels of the picture that was sent. */
  region: Array<unknown> | null;
  /** Why the picture was not recognised. */
  reason: string | null;
}

export interface SequencePosition {
  /** The API key; at most its last two characters are shown. */
  key: string;
  /** A hash of the API key. */
  key_id: string;
  /** Name of the account. */
  account: string | null;
  /** How many requests the sequence has answered. */
  position: number;
}

export interface ServedScenario {
  /** Name of the scenario. */
  scenario: string;
  description: string;
  /** 1 is the highest priority, 9 the lowest. */
  priority: number;
  when: Record<string, unknown>;
  reading: Record<string, unknown>;
  then: Array<Record<string, unknown>>;
  repeat: "last" | "cycle";
  /** Whether it was added at run time, not by a fixture file. */
  runtime: boolean;
  /** The fixture file that it comes from. */
  file: string | null;
  line: number | null;
  /** URL paths of its pictures. */
  pictures: Array<string>;
  /** Positions of API keys in its sequence. */
  positions: Array<SequencePosition>;
}

export interface StepModel {
  /** The kind of reply. */
  outcome?: "read" | "nothing_found" | "no_text" | "missing_key" | "unknown_key" | "inactive_account" | "blocked_key" | "plan_excluded" | "invalid_request" | "invalid_image" | "out_of_credits" | "rate_limited" | "service_error" | "upstream_unreachable" | "upstream_down" | "upstream_timeout" | "payment_required";
  /** A text that replaces the provider's own message. */
  message?: string | number | boolean | null;
  /** A documented alternative of this outcome. */
  variant?: string | number | boolean | null;
  /** The number of requests before the next step. */
  times?: number | string;
  /** The delay of the reply. */
  delay?: string | DelayModel | null;
  /** A broken connection instead of a reply. */
  fault?: "EMPTY_RESPONSE" | "MALFORMED_RESPONSE_CHUNK" | "RANDOM_DATA_THEN_CLOSE" | "CONNECTION_RESET_BY_PEER" | "TRUNCATED_BODY";
  /** Headers that are added to the reply. */
  headers?: Record<string, string | number | boolean | null>;
  /** Errors of the recognition itself. */
  trouble?: TroubleModel | null;
  /** Fields that are left out of the JSON reply: paths of names joined by dots, through lists. */
  omit?: string | number | boolean | null | Array<string | number | boolean | null>;
  /** Fields that the JSON reply gets, by their paths; none is overwritten. */
  add?: Record<string, unknown>;
  /** A reply in place of the provider's. */
  reply?: number | string | ReplyModel | null;
  /** The share of calls that the step answers, e.g. 10%; the next step answers the others. */
  chance?: string;
}

export interface TroubleModel {
  /** The confidence is drawn from this range: 0.4, or [0.3, 0.5]. */
  score?: number | string | Array<number | string> | null;
  /** The number of characters that are read as look-alikes; the true text becomes a candidate. */
  confuse?: number | string;
  /** The region that is reported instead of the true one. */
  region?: string | number | boolean | null;
  /** true: the VIN is reported with a wrong check digit. */
  bad_check_digit?: boolean | string;
  /** The number of first characters that are read; the others are missing. */
  partial?: number | string;
  /** true: the plate or VIN is found, its text is not. */
  unreadable?: boolean | string;
  /** Nothing is found in a picture narrower than this, in pixels. */
  too_small?: number | string;
  /** Nothing is found in a picture less sharp than this (variance of the Laplacian). */
  too_blurred?: number | string;
}

export interface VehicleModel {
  /** The type of vehicle, e.g. Sedan. */
  type: string | number | boolean | "none";
  /** Confidence in the type, 0 to 1. */
  score?: number | string | "none";
  /** [xmin, ymin, xmax, ymax] in pixels of the upright picture. */
  box?: Array<number | string> | "none";
}

export interface VinModel {
  /** The VIN, kept as written. */
  text: string | number | boolean | null | "none";
  /** Confidence in the text, 0 to 1. */
  confidence?: number | string | "none";
  /** [xmin, ymin, xmax, ymax] in pixels of the upright picture. */
  box?: Array<number | string> | "none";
  /** Possible texts, best first. The VIN's own text is added as the first one. */
  candidates?: Array<string | number | boolean | null | CandidateModel> | "none";
}

export interface WhenModel {
  /** Pictures, recognised by their content: paths relative to this file. One of them is enough. */
  image?: string | number | boolean | null | Array<string | number | boolean | null>;
  /** The SHA-256 of the picture's bytes. */
  sha256?: string | number;
  /** A glob for the image URL that the client sends. */
  url?: string | number | boolean | null;
  /** A glob for the name of the uploaded file. */
  filename?: string | number | boolean | null;
  /** An API key. */
  key?: string | number | boolean | null;
  /** The name of an account in mock.yaml. */
  account?: string | number | boolean | null;
  /** Only requests to this provider. */
  provider?: "carsxe" | "vehicore";
  /** Only requests for this product: plate or vin. */
  product?: "plate" | "vin";
  /** The language code that the client sends. */
  language?: string | number | boolean | null;
  /** A glob for each request header. */
  header?: Record<string, string | number | boolean | null>;
  /** Conditions on the picture itself. */
  properties?: PropertiesModel | null;
}
