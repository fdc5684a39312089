'use strict';

// Run by `node --test` with the command `vehicle-ocr-mock` on the path, or with COMMAND as a JSON list.
const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { mkdtemp, writeFile } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const { MockError, VerificationError, Mock, mock } = require('./index.js');

const command = JSON.parse(process.env.COMMAND ?? '["vehicle-ocr-mock"]');
let server;

before(async () => {
  const fixtures = await mkdtemp(join(tmpdir(), 'fixtures-'));
  await writeFile(join(fixtures, 'mock.yaml'), 'accounts: [{name: demo, key: demo-key}]\nunmatched: nothing_found\n');
  server = await mock({ fixtures, command, options: ['--tls'], token: 'for-tests' });
});
after(() => server.stop());

async function plate(key, name = 'car.bmp') {
  const form = new FormData();
  form.append('image', new Blob([picture()]), name);
  const reply = await fetch(`${server.url}/api/ocr/plate`, { method: 'POST', headers: { 'X-API-Key': key }, body: form });
  return { status: reply.status, body: await reply.json() };
}

/** A small picture with a pattern, as a BMP. */
function picture(size = 64) {
  const data = Buffer.alloc(54 + size * size * 3);
  data.write('BM');
  data.writeUInt32LE(data.length, 2);
  data.writeUInt32LE(54, 10);
  data.writeUInt32LE(40, 14);
  data.writeInt32LE(size, 18);
  data.writeInt32LE(size, 22);
  data.writeUInt16LE(1, 26);
  data.writeUInt16LE(24, 28);
  for (let index = 54; index < data.length; index += 1) data[index] = (index * index) % 251;
  return data;
}

test('both addresses', async () => {
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.match(server.tlsUrl, /^https:\/\/127\.0\.0\.1:\d+$/);
});

test('credits of an account run out', async () => {
  const account = await server.account({ credits: { plate: 1 } });
  await server.addScenario({ scenario: 'a-car', when: { key: account.key }, reading: { plate: '7XYZ123' } });
  assert.equal((await plate(account.key)).status, 200);
  assert.equal((await plate(account.key)).status, 402);
  assert.equal((await server.getAccount(account.key)).credits.plate, 0);

  await server.updateAccount(account.key, { credits: { plate: 5 } });
  assert.equal((await plate(account.key)).status, 200);

  await server.deleteAccount(account.key);
  assert.equal((await plate(account.key)).status, 401);
});

test('verify counts requests', async () => {
  const { key } = await server.account();
  await plate(key);
  await plate(key);
  await server.verify({ key, times: 2 });
  await server.verify({ key, product: 'plate', atLeast: 1, atMost: 2 });
  await server.verify({ key, product: 'vin', times: 0 });
  await assert.rejects(server.verify({ key, times: 3 }), (error) => {
    assert(error instanceof VerificationError);
    assert.ok(error.message.startsWith(`expected 3 requests with key …${key.slice(-2)}; found 2`), error.message);
    assert.ok(!error.message.includes(key));
    assert.match(error.message, /\/api\/ocr\/plate plate nothing_found 200/);
    return true;
  });
  await assert.rejects(server.verify({ key, product: 'vin', times: 1 }), /expected 1 request with .* the latest with this key:/);
  await assert.rejects(server.verify({ outcome: 'no_text' }), /expected at least 1 requests .* the latest requests:/);
  await assert.rejects(server.account({ credit: 1 }), { name: 'MockError', message: /^400 unknown key "credit"[^\n]*$/ });
  await assert.rejects(server.verify({ key, atLeast: 3, atMost: 1 }), RangeError);
  await assert.rejects(server.verify({ key, times: 3, atMost: 1 }), RangeError);
  assert.equal((await server.requests({ key })).length, 2);
  assert.equal(await server.clearRequests({ key }), 2);
  assert.equal(await server.count({ key }), 0);
});

test('a scenario with its picture', async () => {
  const { key } = await server.account();
  await server.addScenario({ scenario: 'car', when: { key, image: 'image' }, reading: { plate: '7XYZ123' } }, picture());
  assert.deepEqual((await plate(key)).body, { result: '7XYZ123' });
  assert((await server.scenarios()).some(({ scenario }) => scenario === 'car'));

  await server.removeScenario('car', { key });
  assert.deepEqual((await plate(key)).body, { result: '' });
});

test('an override', async () => {
  const { key } = await server.account();
  await server.override({ key, outcome: 'service_error', times: 2 });
  assert.equal((await plate(key)).status, 500);
  await server.removeOverrides({ key });
  assert.equal((await plate(key)).status, 200);
});

test('what no scenario knows', async () => {
  const { key } = await server.account();
  await plate(key);
  assert((await server.unmatched()).length > 0);
  assert.equal((await server.nearMisses({ key })).length, 1);
});

test('the clock and reset', async () => {
  assert.equal((await server.clock({ freeze: '2026-12-01T00:00:00Z' })).frozen, true);
  assert.match((await server.clock()).now, /^2026-12-01T00:00:00/);
  await server.reset();
  assert.equal((await server.clock()).frozen, false);
});

test('a refused call', async () => {
  await assert.rejects(server.account({ credits: -1 }), (error) => {
    assert(error instanceof MockError);
    assert(error.status >= 400);
    assert.match(error.message, /credits/);
    return true;
  });
  await assert.rejects(server.getAccount('none'), { name: 'MockError', status: 404 });
  await assert.rejects(new Mock(server.url).scenarios(), { name: 'MockError', status: 401 });
});

test('a mock that runs already', async () => {
  const other = await mock({ url: `${server.url}/`, token: 'for-tests' });
  const { key } = await other.account();
  await server.getAccount(key);
  await other.stop();
  assert.equal((await plate(key)).status, 200);
});

test('a server that does not start', async () => {
  const fixtures = new URL('file:///does/not/exist');
  await assert.rejects(mock({ command, fixtures }), /ended with 2: \/does\/not\/exist is not a directory$/);
  await assert.rejects(mock({ command: 'no-such-command' }), { code: 'ENOENT', message: /^no-such-command is not on the PATH/ });
});

test('every call is in the OpenAPI document', async () => {
  const { paths } = await server.call('GET', '/openapi.json');
  const source = await require('node:fs/promises').readFile(join(__dirname, 'index.js'), 'utf8');
  const calls = [...source.matchAll(/this\.call\('(\w+)', (?:'(\/[\w/-]+)'|`(\/[\w/-]+)\$|path\('(\w+)', \w+\))/g)];
  assert(calls.length >= 16);
  for (const [, method, plain, withQuery, named] of calls) {
    const where = plain ?? withQuery ?? `/${named}/{${named === 'accounts' ? 'key' : 'name'}}`;
    assert(paths[`/__admin${where}`]?.[method.toLowerCase()], `${method} ${where}`);
  }
});

test('an option that does not exist is refused', async () => {
  await assert.rejects(mock({ command, strict: true }), /mock\(\) has no option "strict"/);
});

test('options that a running server cannot get are named in a warning', async () => {
  const warned = new Promise((resolve) => process.once('warning', resolve));
  await mock({ url: server.url, fixtures: 'mine', options: ['--strict'] });
  assert.equal((await warned).message, `mock(): fixtures, options do not apply to the running server at ${server.url}`);
});
