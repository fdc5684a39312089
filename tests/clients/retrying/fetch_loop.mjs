// Node's own fetch in a loop. The last argument says how it behaves.
import { readFileSync } from "node:fs";

const [url, key, path, mode] = process.argv.slice(2);
const picture = new Blob([readFileSync(path)]);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const temporary = [500, 502, 503, 504];

async function ask() {
  const body = new FormData();
  body.set("image", picture, "photo.jpg");
  if (mode === "extra-field") body.set("camera", "3");
  const signal = mode === "early" ? AbortSignal.timeout(200) : AbortSignal.timeout(30000);
  const reply = await fetch(url, { method: "POST", headers: { "X-API-Key": key }, body, signal });
  await reply.text();
  return reply;
}

async function main() {
  if (mode === "early") return ask().then(() => "no timeout", (error) => error.name);
  if (mode === "twice") return [(await ask()).status, (await ask()).status];
  let pause = 120;
  for (let attempt = 1; ; attempt += 1) {
    const reply = await ask();
    const after = Number(reply.headers.get("retry-after") ?? 0) * 1000;
    const again = {
      right: temporary.includes(reply.status) || after > 0,
      everything: !reply.ok,
      hurried: reply.status === 429 || temporary.includes(reply.status),
      once: false,
      "extra-field": false,
    }[mode];
    if (!again || attempt === 4) return reply.status;
    if (mode !== "hurried") await wait(Math.max(pause, mode === "right" ? after : 0));
    pause *= 2;
  }
}
console.log(await main());
