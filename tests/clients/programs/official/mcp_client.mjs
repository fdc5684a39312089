// The requests of CarsXE's MCP server: Node's fetch, the URL of the picture alone as text, VINs at /vinocr.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const [url, key, image] = line.split('\t');
  const reply = await fetch(`${url.replace('/v1/', '/')}?${new URLSearchParams({ key, source: 'mcp' })}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    body: image,
  });
  console.log(`${reply.status}\t${JSON.stringify(await reply.json())}`);
}
