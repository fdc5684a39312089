// Starts a mock, or connects to one that runs, and controls it by its admin API.
'use strict';

const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { fileURLToPath } = require('node:url');

const READY = /^vehicle-ocr-mock ready on (\S+)(?: and (\S+))?/;

/** A call of the admin API that was refused. */
class MockError extends Error {
  constructor(status, problem) {
    const errors = problem.errors ?? [];
    const isSaid = errors.length === 1 && problem.detail?.startsWith(errors[0].detail);
    const details = isSaid ? [] : errors.map((error) => `\n  ${error.pointer ?? error.parameter ?? ''} ${error.detail}`);
    super(`${status} ${problem.detail ?? problem.title ?? ''}${details.join('')}`);
    this.name = 'MockError';
    this.status = status;
    this.problem = problem;
  }
}

/** `verify` has not found the expected number of requests. */
class VerificationError extends Error {
  constructor(message) {
    super(message);
    this.name = 'VerificationError';
  }
}

/** A running mock. Use `mock()` to get one. */
class Mock {
  #server;

  constructor(url, { tlsUrl = null, token = null, server = null } = {}) {
    this.url = url.replace(/\/+$/, '');
    this.tlsUrl = tlsUrl;
    this.token = token;
    this.#server = server;
  }

  /** Call the admin API below /__admin. */
  async call(method, path, document) {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    const isForm = document instanceof FormData;
    if (document !== undefined && !isForm) headers['Content-Type'] = 'application/json';
    const body = document === undefined || isForm ? document : JSON.stringify(document);
    const reply = await fetch(`${this.url}/__admin${path}`, { method, headers, body });
    const text = await reply.text();
    const content = text && /json/.test(reply.headers.get('Content-Type') ?? '') ? JSON.parse(text) : text;
    if (!reply.ok) throw new MockError(reply.status, typeof content === 'string' ? { detail: content } : content);
    return content || null;
  }

  // Accounts

  account(fields = {}) {
    return this.call('POST', '/accounts', fields);
  }

  getAccount(key) {
    return this.call('GET', path('accounts', key));
  }

  updateAccount(key, changes) {
    return this.call('PATCH', path('accounts', key), changes);
  }

  async deleteAccount(key) {
    await this.call('DELETE', path('accounts', key));
  }

  // Scenarios

  addScenario(document, image) {
    if (image === undefined) return this.call('POST', '/scenarios', document);
    const form = new FormData();
    form.append('scenario', JSON.stringify(document));
    form.append('image', new Blob([image]), 'image');
    return this.call('POST', '/scenarios', form);
  }

  async scenarios() {
    return (await this.call('GET', '/scenarios')).scenarios;
  }

  async removeScenario(name, { key } = {}) {
    await this.call('DELETE', path('scenarios', name) + query({ key }));
  }

  // What happens to the next calls

  override(fields) {
    return this.call('PUT', '/overrides', fields);
  }

  async removeOverrides({ key } = {}) {
    await this.call('DELETE', `/overrides${query({ key })}`);
  }

  // The journal

  async requests(filters = {}) {
    return (await this.call('POST', '/requests/find', filters)).requests;
  }

  async count(filters = {}) {
    return (await this.call('POST', '/requests/count', filters)).count;
  }

  async verify({ times, atLeast, atMost, ...filters } = {}) {
    if (times !== undefined && (atLeast !== undefined || atMost !== undefined)) {
      throw new RangeError('give times, or atLeast and atMost');
    }
    const least = times ?? atLeast ?? (atMost === undefined ? 1 : 0);
    const most = times ?? atMost ?? Infinity;
    if (least > most) throw new RangeError(`atLeast ${least} is above atMost ${most}`);
    const count = await this.count(filters);
    if (count >= least && count <= most) return;
    const expected = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    const all = await this.requests(filters.key === undefined ? {} : { key: filters.key });
    const shown = all.slice(-5).map(({ product, outcome, status, path: where }) => `\n  ${where} ${product} ${outcome} ${status}`);
    const noun = most === 1 ? 'request' : 'requests';
    const latest = `the latest ${filters.key === undefined ? 'requests' : 'with this key'}:${shown.join('') || ' none'}`;
    throw new VerificationError(`expected ${expected} ${noun}${described(filters)}; found ${count}; ${latest}`);
  }

  async unmatched() {
    return (await this.call('GET', '/requests/unmatched')).requests;
  }

  async nearMisses({ key } = {}) {
    return (await this.call('GET', `/requests/unmatched/near-misses${query({ key })}`)).nearMisses;
  }

  async clearRequests({ key } = {}) {
    return (await this.call('DELETE', `/requests${query({ key })}`)).deleted;
  }

  // Clock and state

  clock(change) {
    return change === undefined ? this.call('GET', '/clock') : this.call('PUT', '/clock', change);
  }

  async reset({ key } = {}) {
    await this.call('POST', `/reset${query({ key })}`);
  }

  /** End the server, if `mock()` has started it. */
  async stop() {
    const server = this.#server;
    this.#server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.ref();
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
}

if (Symbol.asyncDispose) {
  Mock.prototype[Symbol.asyncDispose] = Mock.prototype.stop;
}

/** Start a mock on free ports; with `url`, or VEHICLE_OCR_MOCK_URL in the environment, connect to one that runs. */
async function mock({ url, token, fixtures, options, command = 'vehicle-ocr-mock', env = {}, ...unknown } = {}) {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new TypeError(`mock() has no option "${name}"; options of serve are words, options: ['--strict']`);
  const running = url ?? process.env.VEHICLE_OCR_MOCK_URL;
  const unused = Object.entries({ fixtures, options }).flatMap(([given, value]) => (value === undefined ? [] : [given]));
  if (running && unused.length) process.emitWarning(`mock(): ${unused.join(', ')} do not apply to the running server at ${running}`);
  if (running) return new Mock(running, { token: token ?? process.env.VEHICLE_OCR_MOCK_ADMIN_TOKEN });
  const [program, ...first] = [command].flat();
  const place = fixtures === undefined ? [] : [fixtures instanceof URL ? fileURLToPath(fixtures) : fixtures];
  const server = spawn(program, [...first, 'serve', ...place, '--port', '0', '--tls-port', '0', ...(options ?? [])], {
    env: { ...process.env, ...env, ...(token ? { VEHICLE_OCR_MOCK_ADMIN_TOKEN: token } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-10_000);
  });
  const [, http, https] = await new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (error.code === 'ENOENT') error.message = `${program} is not on the PATH: activate its virtual environment, or give command`;
      reject(error);
    });
    server.once('exit', (code) => reject(new Error(`vehicle-ocr-mock ended with ${code}: ${errors.replace(/^Usage: .*?\n\nError: /s, '').trim()}`)));
    createInterface({ input: server.stdout }).on('line', (line) => {
      const match = READY.exec(line);
      if (match) resolve(match);
    });
  });
  // The process of the tests may end before `stop`.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  server.once('exit', () => process.off('exit', kill));
  for (const handle of [server, server.stdout, server.stderr]) handle.unref();
  return new Mock(http, { tlsUrl: https ?? null, token, server });
}

/** The filters in words. A key is a secret, so only its end is shown. */
function described(filters) {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  const words = given.map(([name, value]) => `${name} ${name === 'key' ? `…${String(value).slice(-2)}` : value}`);
  return words.length ? ` with ${words.join(', ')}` : '';
}

function path(...parts) {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

module.exports = { Mock, MockError, VerificationError, mock };
