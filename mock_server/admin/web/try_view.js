/** Sends a picture to every provider, by the real calls, and shows the replies side by side, with the reasons. */

import { json, outside, sendForm } from "./api.js";
import { boxesOf, pictureWithBoxes } from "./boxes.js";
import { codeButtons, filled } from "./code.js";
import { button, el, facts, field, select } from "./dom.js";
import { loserLine } from "./exchange_view.js";
import { matters, missLine } from "./misses_view.js";
import { openScenarioForm } from "./scenario_form.js";

const MATCHES = { sha256: "the same bytes", pixels: "the same pixels", perceptual: "the same look", url: "its URL", rule: "its conditions", synthesized: "nothing: the reading is made up", none: "nothing" };

const dataUrl = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => resolve(reader.result));
  reader.addEventListener("error", () => reject(reader.error));
  reader.readAsDataURL(file);
});

export class TryView {
  name = "try";
  title = "Try";

  constructor(app) {
    this.app = app;
    this.source = null; // {file, url, label}: a file, or the URL of a picture
  }

  async mount(root) {
    const { images, providers } = this.app.workbench;
    this.input = el("input", { type: "file", accept: "image/*,.heic,.heif", class: "hidden", id: "try-file", tabindex: "-1", "aria-label": "A photo" });
    this.input.addEventListener("change", () => this.input.files.length && this.use({ file: this.input.files[0] }));
    this.drop = button("Drop, paste or choose a photo", () => this.input.click(), { class: "drop" });
    this.gallery = select("gallery", [["", "a picture of the gallery"], ...images], "");
    this.gallery.addEventListener("change", () => this.gallery.value && this.useGallery(this.gallery.value));
    this.url = el("input", { type: "url", name: "url", placeholder: "https://…/car.jpg", autocomplete: "off" });
    this.url.addEventListener("change", () => this.url.value && this.use({ url: this.url.value.trim() }));
    const products = [...new Set(providers.flatMap((provider) => Object.keys(provider.calls)))];
    this.product = select("product", products);
    this.account = el("select", { name: "account" });
    this.prefer = el("input", { name: "prefer", placeholder: "outcome=rate_limited", autocomplete: "off" });
    this.language = el("input", { name: "language", placeholder: "en", autocomplete: "off" });
    for (const input of [this.product, this.account, this.prefer, this.language]) input.addEventListener("change", () => this.run());
    this.again = button("Send again", () => this.run(), { class: "main", disabled: true });
    this.make = button("Make it a scenario", this.app.act(() => this.makeScenario()), { disabled: true });
    this.stage = el("div", { class: "stage" }, el("p", { class: "empty" }, "The picture and both replies appear here. The calls are real: they cost credits and stand in the journal."));
    this.replies = el("div", { class: "replies", "aria-live": "polite" });
    this.why = el("div", { class: "why" });
    root.append(
      el("div", { class: "try" },
        el("form", { class: "fields panel", "aria-label": "What is sent" }, this.drop, this.input, field("or from the gallery", this.gallery),
          field("or an image URL", this.url), field("Product", this.product), field("Account", this.account),
          field("Header Prefer", this.prefer), field("Language", this.language), el("div", { class: "actions" }, this.again, this.make)),
        this.stage),
      this.replies, this.why);
    root.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); if (this.url.value) this.use({ url: this.url.value.trim() }); });
    this.listen(root);
  }

  listen(root) {
    root.addEventListener("dragover", (event) => { event.preventDefault(); this.drop.classList.add("over"); });
    root.addEventListener("dragleave", () => this.drop.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.drop.classList.remove("over");
      const [file] = event.dataTransfer.files;
      if (file) this.use({ file });
    });
    document.addEventListener("paste", (event) => {
      if (root.hidden || document.querySelector("dialog[open]")) return;
      const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
      if (file) this.use({ file });
    });
  }

  async refresh() {
    const { accounts } = await json("/accounts");
    const stamp = JSON.stringify(accounts.map((one) => [one.key, one.name]));
    if (this.accounts === stamp) return;
    this.accounts = stamp;
    const chosen = this.account.value;
    this.account.replaceChildren(...accounts.map((one) => el("option", { value: one.key, selected: one.key === chosen }, one.name)));
  }

  async useGallery(name) {
    const url = outside(`images/${encodeURIComponent(name).replaceAll("%2F", "/")}`);
    const found = await (await fetch(url)).blob();
    await this.use({ file: new File([found], name.split("/").pop(), { type: found.type }), url });
  }

  async use(source) {
    if (this.source && this.source.shown) URL.revokeObjectURL(this.source.shown);
    this.source = { ...source, shown: source.file ? URL.createObjectURL(source.file) : null, label: source.file ? source.file.name : source.url };
    this.drop.textContent = this.source.label.slice(0, 60);
    this.again.disabled = this.make.disabled = false;
    await this.run();
  }

  /** Sends the calls. A later run makes the results of an earlier one void. */
  async run() {
    const { source } = this;
    if (!source) return;
    // A picture can be chosen before the accounts are there: without a key, the replies would be refusals.
    if (!this.accounts) await this.refresh().catch(() => {});
    const [product, key] = [this.product.value, this.account.value];
    const extra = { prefer: this.prefer.value.trim(), language: this.language.value.trim() };
    const run = (this.current = {});
    this.replies.replaceChildren(el("p", { class: "soft" }, "sending…"));
    this.why.replaceChildren();
    const data = source.file && !source.url ? await dataUrl(source.file) : source.url;
    const providers = this.app.workbench.providers.filter((provider) => provider.calls[product]);
    const results = await Promise.all(providers.map(async (provider) => ({ provider, ...(await this.ask(filled(provider.calls[product], key, data, extra), source)) })));
    if (this.current !== run) return;
    this.results = results;
    this.showReplies(product, key, extra);
    await this.explain(product, key, extra, run);
    this.app.refresh();
  }

  async ask(call, source) {
    if (call.upload && !source.file) return { error: "This provider takes uploads only: choose a file." };
    const started = performance.now();
    const form = new FormData();
    if (call.upload) form.append(call.upload, source.file, source.file.name || "photo.jpg");
    for (const [name, value] of Object.entries(call.fields)) form.append(name, value);
    const body = call.upload ? form : JSON.stringify(call.json);
    const headers = call.json ? { ...call.headers, "Content-Type": "application/json" } : call.headers;
    try {
      const reply = await fetch(call.url, { method: "POST", headers, body, cache: "no-store" });
      const text = await reply.text();
      return { status: reply.status, reason: reply.statusText, headers: [...reply.headers], text, id: reply.headers.get("x-mock-request-id"), milliseconds: performance.now() - started };
    } catch (error) {
      return { error: `The connection broke: ${error.message}`, milliseconds: performance.now() - started };
    }
  }

  showReplies(product, key, extra) {
    const { source } = this;
    this.replies.replaceChildren(...this.results.map((result) => {
      const call = result.provider.calls[product];
      const shortUrl = source.url || "data:image/jpeg;base64,…";
      const file = source.file ? source.file.name || "photo.jpg" : "photo.jpg";
      const tone = !result.status || result.status >= 500 ? "bad" : result.status >= 400 ? "warn" : "good";
      return el("article", { class: "card reply" },
        el("div", { class: "head" }, el("h3", {}, result.provider.title), el("span", { class: `badge ${tone}` }, result.status ? `${result.status} ${result.reason}` : "no reply"),
          result.milliseconds !== undefined && el("span", { class: "soft" }, `${result.milliseconds.toFixed(0)} ms`)),
        el("pre", { tabindex: "0" }, result.error || pretty(result.text)),
        result.headers && el("details", {}, el("summary", {}, "Headers"), el("pre", { tabindex: "0" }, result.headers.map(([name, value]) => `${name}: ${value}`).join("\n"))),
        el("div", { class: "actions" }, ...codeButtons(filled(call, key, shortUrl, extra), file)));
    }));
    const boxes = this.results.flatMap((result) => boxesOf(parsed(result.text)));
    if (source.shown) this.stage.replaceChildren(pictureWithBoxes(source.shown, source.label, boxes));
    else this.stage.replaceChildren(el("p", { class: "empty" }, source.url));
  }

  /** Shows how the picture was recognised, what else held, and what came near. */
  async explain(product, key, extra, run) {
    const { source } = this;
    const fact = { provider: this.results[0].provider.name, product, key };
    if (extra.language) fact.language = extra.language;
    if (extra.prefer) fact.headers = JSON.stringify({ Prefer: extra.prefer });
    const found = await sendForm("POST", "/match", { ...fact, ...(source.file ? { image: source.file } : { url: source.url }) }).catch((error) => ({ problem: error.message }));
    const ids = this.results.map((result) => result.id).filter(Boolean);
    const exchanges = await Promise.all(ids.map((id) => json(`/requests/${id}`)));
    if (this.current !== run) return;
    [this.exchange] = exchanges;
    this.why.replaceChildren(el("h2", {}, "Why"), found.problem ? el("p", {}, found.problem) : this.reasons(found, exchanges));
    const near = (found.nearMisses || []).filter(matters);
    if (near.length && !found.scenario) this.why.append(el("h2", {}, "The nearest scenarios"), el("div", { class: "cards" }, ...(await Promise.all(near.map((miss) => this.nearCard(miss))))));
  }

  reasons(found, exchanges) {
    const [exchange] = exchanges;
    const [best] = found.pictures;
    const match = exchange ? exchange.match : found.match;
    const losers = found.losers;
    return facts([
      ["Scenario", exchange ? exchange.scenario || "none" : found.scenario || "none"],
      ["Recognised by", MATCHES[match] || match],
      ["Known picture", best && `${best.image}: distance ${best.distance.toFixed(2)}, limit ${best.limit}`],
      ["Detail", found.detail || (exchange && exchange.detail)],
      ["Forced", exchange && exchange.forced],
      ["Charged", exchanges.map((one) => `${one.provider} ${one.charged}`).join(", ")],
      ["Also held", losers.length ? el("div", {}, ...losers.map(loserLine)) : null],
      ["Picture", found.image && `${found.image.format} ${found.image.width} × ${found.image.height}, sharpness ${found.image.sharpness}${found.image.blank ? ", blank" : ""}`],
    ]);
  }

  async nearCard(miss) {
    const { scenarios } = await json("/scenarios");
    const scenario = scenarios.find((one) => one.scenario === miss.scenario);
    const region = miss.region ? [{ label: "differs", kind: "differs", box: miss.region }] : [];
    const own = scenario ? ownBoxes(scenario, miss) : [];
    const pictures = el("div", { class: "pair" }, this.source.shown && pictureWithBoxes(this.source.shown, "the picture that was sent", region));
    if (scenario && scenario.pictures.length) pictures.append(pictureWithBoxes(outside(scenario.pictures[0]), `the picture of ${miss.scenario}`, own));
    return el("article", { class: "card" }, pictures, el("ol", { class: "plain" }, missLine(miss)));
  }

  makeScenario() {
    return openScenarioForm(this.app, { exchange: this.exchange || null, photo: this.source.file || null });
  }
}

/** Where the picture of a scenario differs: at its own texts. */
function ownBoxes(scenario, miss) {
  const { reading } = scenario;
  const parts = [reading.vin, reading.plate, ...(reading.plates || [])].filter((part) => part && Array.isArray(part.box));
  return miss.region ? parts.map((part) => ({ label: part.text, kind: "differs", box: part.box })) : [];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const pretty = (text) => (parsed(text) === null ? text : JSON.stringify(parsed(text), null, 2));
