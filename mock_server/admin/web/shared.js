"use strict";

const TOKEN = "vehicle-ocr-mock-token";

/** A DOM element with attributes and children; text is always text, never markup. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

/** Ask for the admin token, once for all calls that wait for it. */
let asking = null;
function askForToken(wrong) {
  if (asking) return asking;
  asking = new Promise((resolve) => {
    const input = el("input", { type: "password", name: "token", autocomplete: "off", required: true, "aria-label": "Admin token" });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, "Admin token"),
      el("p", { class: "soft" }, wrong ? "That is not the server's token." : "This server asks for its token. It was given as --admin-token, or printed when the server started."),
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

/** One admin call; asks for the token where it is needed. */
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

/** A picture behind the token, as a URL that an <img> can show; each is fetched once. */
const pictures = new Map();
function picture(path, key) {
  if (!pictures.has(key)) {
    const loaded = call(path).then(async (reply) => (reply.ok ? URL.createObjectURL(await reply.blob()) : null));
    pictures.set(key, loaded.catch(() => null));
  }
  return pictures.get(key);
}
