// Node's own fetch and FormData.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [kind, url, first, path] = line.split("\t");
  let options;
  if (kind === "upload") {
    const body = new FormData();
    body.set("image", new Blob([readFileSync(path)], { type: "image/jpeg" }), basename(path));
    options = { headers: { "X-API-Key": first }, body };
  } else {
    options = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(JSON.parse(first)) };
  }
  const reply = await fetch(url, { method: "POST", ...options });
  console.log(`${reply.status}\t${JSON.stringify(await reply.json())}`);
}
