// The requests of CarsXE's command line: Node's fetch with a time limit.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const [url, key, image] = line.split('\t');
  const reply = await fetch(`${url}?${new URLSearchParams({ key, source: 'cli' })}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ image }),
    signal: AbortSignal.timeout(30_000),
  });
  console.log(`${reply.status}\t${JSON.stringify(await reply.json())}`);
}
