// Needs the command `vehicle-ocr-mock` on the path, or VEHICLE_OCR_MOCK_URL. Run `npm install`, then `npm test`.
const { mock } = require('vehicle-ocr-mock');
const { plateAtTheGate } = require('./gate.js');

const photo = Buffer.from('a photo');
let server;
let account;

beforeAll(async () => {
  server = await mock();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  account = await server.account({ credits: { plate: 1 } });
  await server.addScenario({ scenario: 'car', when: { key: account.key }, reading: { plate: '7XYZ123' } });
});
afterEach(() => server.reset({ key: account.key }));

test('a car at the gate', async () => {
  await server.override({ key: account.key, outcome: 'read' });
  expect(await plateAtTheGate(server.url, account.key, photo)).toBe('7XYZ123');
  await server.verify({ key: account.key, outcome: 'read', times: 1 });
});

test('the service fails', async () => {
  await server.override({ key: account.key, outcome: 'service_error' });
  await expect(plateAtTheGate(server.url, account.key, photo)).rejects.toThrow('500');
});
