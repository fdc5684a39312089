// undici's RetryAgent, which does not repeat a POST unless it is asked to. The last argument says how it behaves.
const { readFileSync } = require("node:fs");
const { Agent, RetryAgent, request } = require("undici");

const [url, key, path, mode] = process.argv.slice(2);
const temporary = [500, 502, 503, 504];
const pauses = { minTimeout: 120, timeoutFactor: 2, maxRetries: 3, methods: ["POST"] };
const options = {
  // A 429 without Retry-After is a quota that is used up.
  right: { ...pauses, statusCodes: [...temporary, 429], retry: careful },
  everything: { ...pauses, statusCodes: [400, 401, 402, 403, 404, 429, ...temporary] },
  // RetryAgent itself heeds Retry-After.
  hurried: { ...pauses, statusCodes: [...temporary, 429], retry: (error, { state }, done) => done(state.counter > 3 ? error : null) },
  once: { ...pauses, maxRetries: 0 },
  early: { ...pauses, maxRetries: 0 },
}[mode];

function careful(error, { state }, done) {
  const asked = Number(error.headers?.["retry-after"] ?? 0) * 1000;
  const isFinal = error.statusCode === 429 && !asked;
  if (isFinal || state.counter > 3) return done(error);
  return setTimeout(() => done(null), Math.max(asked, 120 * 2 ** (state.counter - 1)));
}

async function main() {
  const form = new FormData();
  form.set("image", new Blob([readFileSync(path)]), "photo.jpg");
  const encoded = new Request("http://x", { method: "POST", body: form });
  const headers = { "x-api-key": key, "content-type": encoded.headers.get("content-type") };
  const body = Buffer.from(await encoded.arrayBuffer());
  const dispatcher = new RetryAgent(new Agent({ headersTimeout: mode === "early" ? 200 : 30000 }), options);
  const reply = await request(url, { method: "POST", headers, body, dispatcher });
  await reply.body.text();
  return reply.statusCode;
}
main().then(console.log, (error) => console.log(error.name)).finally(() => process.exit());
