/** Calls of the admin API. The token stays in the session storage of the tab. */

import { el } from "./dom.js";

const TOKEN = "vehicle-ocr-mock-token";
const known = new Map(); // the last document of each path, with its tag: an unchanged one is not sent again
const pictures = new Map();
const MOST_PICTURES = 2000;
let asking = null;

/** Whether this tab sends a token. */
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** Asks the user for the admin token. All waiting calls share one dialog. */
function askForToken(isWrong) {
  if (asking) return asking;
  asking = new Promise((resolve) => {
    const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, "aria-label": "Admin token" });
    const why = isWrong ? "The token is wrong." : "This server needs its admin token. It was set with --admin-token, or the server printed it when it started.";
    const form = el("form", { method: "dialog" }, el("h2", {}, "Admin token"), el("p", { class: "soft" }, why), input,
      el("button", { class: "main", type: "submit" }, "Open"));
    const dialog = el("dialog", { class: "small", "aria-label": "Admin token" }, form);
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, input.value.trim());
      dialog.remove();
      asking = null;
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** A reply of the admin API; `path` begins with a slash. Asks the user for the token if it is needed. */
export async function call(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = { ...(options.headers || {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const reply = await fetch(`.${path}`, { ...options, headers, cache: "no-store" });
    if (reply.status !== 401) return reply;
    await askForToken(Boolean(token));
  }
}

/** An error of the API, with the mistakes in what was sent. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `status ${status}`);
    this.status = status;
    this.mistakes = problem.errors || [];
  }
}

async function read(reply) {
  if (reply.status === 204) return null;
  const document = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Refused(reply.status, document);
  return document;
}

/** The document at a path. It is sent again only if it has changed. */
export async function json(path) {
  const before = known.get(path);
  const reply = await call(path, before ? { headers: { "If-None-Match": before.tag } } : {});
  if (reply.status === 304) return before.document;
  const document = await read(reply);
  if (known.size > 200) known.clear();
  known.set(path, { tag: reply.headers.get("etag"), document });
  return document;
}

export async function send(method, path, document) {
  const body = document === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) };
  return read(await call(path, { method, ...body }));
}

/** Sends a form; a value is a text, or a Blob with a name. */
export async function sendForm(method, path, values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof Blob) form.append(name, value, value.name || "image.jpg");
    else if (value !== null && value !== undefined && value !== "") form.append(name, value);
  }
  return read(await call(path, { method, body: form }));
}

/** A URL of a picture for an <img>, which cannot send the token itself; null if there is none. Each is fetched once. */
export function picture(path, key = path) {
  if (!pictures.has(key)) {
    if (pictures.size >= MOST_PICTURES) {
      const [oldest] = pictures.keys();
      pictures.get(oldest).then((url) => url && URL.revokeObjectURL(url));
      pictures.delete(oldest);
    }
    pictures.set(key, blob(path).then((found) => found && URL.createObjectURL(found), () => null));
  }
  return pictures.get(key);
}

/** The bytes at a path; null if there are none. */
export async function blob(path) {
  const reply = await call(path);
  return reply.ok ? reply.blob() : null;
}

/** The URL of a path outside the admin API, also below a path prefix. */
export function outside(path) {
  return new URL(`../${path.replace(/^\//, "")}`, document.baseURI).href;
}

export const accountPath = (key) => `/accounts/${encodeURIComponent(key)}`;

export function scenarioPath(scenario, end = "") {
  const key = scenario.when && scenario.when.key;
  return `/scenarios/${encodeURIComponent(scenario.scenario)}${end}${key ? `?key=${encodeURIComponent(key)}` : ""}`;
}
