// axios with form-data, which streams the file.
const axios = require("axios");
const FormData = require("form-data");
const fs = require("node:fs");

async function main() {
  for (const line of fs.readFileSync(0, "utf8").trimEnd().split("\n")) {
    const [kind, url, first, path] = line.split("\t");
    let reply;
    if (kind === "upload") {
      const form = new FormData();
      form.append("image", fs.createReadStream(path));
      const headers = { ...form.getHeaders(), "X-API-Key": first };
      reply = await axios.post(url, form, { headers, validateStatus: null });
    } else {
      reply = await axios.post(url, JSON.parse(first), { validateStatus: null });
    }
    console.log(`${reply.status}\t${JSON.stringify(reply.data)}`);
  }
}
main();
