"use strict";

const TOKEN = "vehicle-ocr-mock-token";

/** A DOM element with attributes and children. Text is never parsed as markup. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** Asks the user for the admin token. All waiting calls share one dialog. */
let asking = null;
function askForToken(wrong) {
  if (asking) return asking;
  asking = new Promise((resolve) => {
    const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, "aria-label": "Admin token" });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, "Admin token"),
      el("p", { class: "soft" }, wrong ? "The token is wrong." : "This server needs its admin token. It was set with --admin-token, or the server printed it when it started."),
      input,
      el("button", { class: "main", type: "submit" }, "Open"),
    );
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

/** Calls the admin API. Asks the user for the token if it is needed. */
async function call(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN);
    const headers = { ...(options.headers || {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const reply = await fetch(`.${path}`, { ...options, headers });
    if (reply.status !== 401) return reply;
    await askForToken(Boolean(token));
  }
}

async function json(path, options = {}) {
  const reply = await call(path, options);
  if (reply.status === 204) return null;
  const document = await reply.json();
  if (!reply.ok) throw new Error(document.detail || `status ${reply.status}`);
  return document;
}

function send(method, path, document) {
  return json(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) });
}

/** A URL of a picture for an <img>, which cannot send the token itself. Each picture is fetched once. */
const pictures = new Map();
function picture(path, key) {
  if (!pictures.has(key)) {
    const loaded = call(path).then(async (reply) => (reply.ok ? URL.createObjectURL(await reply.blob()) : null));
    pictures.set(key, loaded.catch(() => null));
  }
  return pictures.get(key);
}
