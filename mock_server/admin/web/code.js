/** A provider's call as code to copy: curl, Python, Node. */

import { outside } from "./api.js";
import { button, el, openDialog } from "./dom.js";

const fill = (texts, key, url) => Object.fromEntries(Object.entries(texts || {}).map(([name, text]) => [name, text.replaceAll("{key}", key).replaceAll("{url}", url)]));
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** A call with its key, its picture and what else is sent: {url, headers, json, upload, fields}. */
export function filled(call, key, pictureUrl, { prefer, language } = {}) {
  const query = new URLSearchParams(fill(call.query, key, pictureUrl)).toString();
  return {
    url: outside(call.path) + (query ? `?${query}` : ""),
    headers: { ...fill(call.headers, key, pictureUrl), ...(prefer ? { Prefer: prefer } : {}) },
    json: call.json && fill(call.json, key, pictureUrl),
    upload: call.upload,
    fields: call.language && language ? { [call.language]: language } : {},
  };
}

function curl({ url, headers, json, upload, fields }, file) {
  const lines = [`curl -X POST ${quote(url)}`, ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)];
  if (upload) lines.push(`-F ${quote(`${upload}=@${file}`)}`);
  for (const [name, value] of Object.entries(fields)) lines.push(`-F ${quote(`${name}=${value}`)}`);
  if (json) lines.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(json))}`);
  return lines.join(" \\\n  ");
}

function python({ url, headers, json, upload, fields }, file) {
  const text = JSON.stringify;
  const lines = ["import requests", "", "reply = requests.post(", `    ${text(url)},`];
  if (Object.keys(headers).length) lines.push(`    headers=${text(headers)},`);
  if (upload) lines.push(`    files={${text(upload)}: open(${text(file)}, "rb")},`);
  if (Object.keys(fields).length) lines.push(`    data=${text(fields)},`);
  if (json) lines.push(`    json=${text(json)},`);
  return [...lines, ")", "print(reply.status_code, reply.text)"].join("\n");
}

function node({ url, headers, json, upload, fields }, file) {
  const text = JSON.stringify;
  const lines = [];
  if (upload) {
    lines.push('import { openAsBlob } from "node:fs";', "", "const form = new FormData();",
      `form.append(${text(upload)}, await openAsBlob(${text(file)}), ${text(file)});`,
      ...Object.entries(fields).map(([name, value]) => `form.append(${text(name)}, ${text(value)});`));
  }
  const sent = json ? { ...headers, "Content-Type": "application/json" } : headers;
  const body = upload ? "form" : `JSON.stringify(${text(json)})`;
  lines.push(`const reply = await fetch(${text(url)}, {`, '  method: "POST",', `  headers: ${text(sent)},`, `  body: ${body},`, "});",
    "console.log(reply.status, await reply.text());");
  return lines.join("\n");
}

const LANGUAGES = { curl, Python: python, Node: node };

async function copy(text, area) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    // Off loopback without TLS the browser has no clipboard for pages.
    area.focus();
    area.select();
    return "Selected: press Ctrl+C.";
  }
}

/** Buttons that show a call as code, and copy it. */
export function codeButtons(call, file) {
  return Object.entries(LANGUAGES).map(([language, write]) => button(`Copy as ${language}`, async () => {
    const text = write(call, file);
    const said = el("span", { role: "status", class: "soft" });
    const area = el("textarea", { readonly: true, rows: Math.min(14, text.split("\n").length + 1), class: "mono wide", "aria-label": `The call as ${language}` }, text);
    openDialog(`The call as ${language}`, [area, said]);
    said.textContent = await copy(text, area);
  }));
}
