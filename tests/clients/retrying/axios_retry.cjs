// axios with axios-retry. The last argument says how it behaves.
const axios = require("axios");
const axiosRetry = require("axios-retry").default;
const FormData = require("form-data");
const fs = require("node:fs");

const [url, key, path, mode] = process.argv.slice(2);
const temporary = [500, 502, 503, 504];
const statusOf = (error) => (error.response ? error.response.status : 0);
const doubled = (count) => 120 * 2 ** count;
const policies = {
  right: {
    retryCondition: (error) => temporary.includes(statusOf(error)) || "retry-after" in (error.response?.headers ?? {}),
    retryDelay: (count, error) => Math.max(doubled(count), Number(error.response?.headers["retry-after"] ?? 0) * 1000),
  },
  everything: { retryCondition: () => true, retryDelay: doubled },
  hurried: { retryCondition: (error) => [429, ...temporary].includes(statusOf(error)), retryDelay: () => 1 },
  once: { retries: 0 },
  early: { retries: 0 },
};

async function main() {
  axiosRetry(axios, { retries: 3, ...policies[mode] });
  const form = new FormData();
  form.append("image", fs.readFileSync(path), "photo.jpg");
  const headers = { ...form.getHeaders(), "X-API-Key": key };
  try {
    const reply = await axios.post(url, form.getBuffer(), { headers, timeout: mode === "early" ? 200 : 30000 });
    console.log(reply.status);
  } catch (error) {
    console.log(error.response ? error.response.status : error.code);
  }
}
main();
