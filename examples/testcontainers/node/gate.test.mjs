// The mock in a container, by testcontainers for Node. Build the image first: docker build -t vehicle-ocr-mock .
//   npm install --save-dev testcontainers /path/to/vehicle-ocr-mock/clients/node
//   node --test
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { GenericContainer, Wait } from 'testcontainers';
import { mock } from 'vehicle-ocr-mock';

const token = 'for-tests-only';
const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mP8zwABTAwUMQBJQQEPkWFcdwAAAABJRU5ErkJggg==', 'base64'); // a white square
const fixtures = 'fixtures'; // your own; without it the shipped fixtures are served
let container;
let server;

before(async () => {
  let image = new GenericContainer('vehicle-ocr-mock')
    .withEnvironment({ VEHICLE_OCR_MOCK_ADMIN_TOKEN: token })
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp('/healthz', 8080).forStatusCode(200));
  if (existsSync(fixtures)) image = image.withCopyDirectoriesToContainer([{ source: fixtures, target: '/config' }]);
  container = await image.start();
  server = await mock({ url: `http://${container.getHost()}:${container.getMappedPort(8080)}`, token });
});
after(() => container?.stop());

test('an account without credits', async () => {
  const { key } = await server.account({ credits: 0 });
  const form = new FormData();
  form.append('image', new Blob([picture]), 'car.jpg');
  const reply = await fetch(`${server.url}/api/ocr/plate`, { method: 'POST', headers: { 'X-API-Key': key }, body: form });
  assert.equal(reply.status, 402);
});
