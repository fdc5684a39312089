/** The form that makes a scenario of a picture, or changes one. It is checked while the user types. */

import { blob, json, scenarioPath, send, sendForm } from "./api.js";
import { boxEditor } from "./boxes.js";
import { button, debounced, download, el, field, openDialog, select } from "./dom.js";

const DEFAULT_SCORES = { region_score: 0.9, score: 0.9, dscore: 0.9, confidence: 0.95 };
const ENDINGS = { "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif", "image/bmp": ".bmp", "image/tiff": ".tif", "image/avif": ".avif", "image/heic": ".heic" };

export const scenarioName = (text) => text.toLowerCase().replace(/\.[a-z0-9]+$/, "").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "photo";

/** A document as a user writes it: without the values that are the defaults. */
export function compact(scenario) {
  const { runtime, file, line, pictures, positions, ...document } = structuredClone(scenario);
  for (const part of [document.reading.vin, document.reading.plate, ...(document.reading.plates || [])]) {
    if (!part) continue;
    for (const [name, score] of Object.entries(DEFAULT_SCORES)) if (part[name] === score) delete part[name];
    if (part.candidates && part.candidates.length === 1 && part.candidates[0].text === part.text) delete part.candidates;
  }
  if (!document.description) delete document.description;
  if (document.priority === 5) delete document.priority;
  if (document.repeat === "last") delete document.repeat;
  if (document.then.length === 1 && JSON.stringify(document.then[0]) === '{"outcome":"read"}') delete document.then;
  return document;
}

/** Opens the form. `exchange`: of the journal; `photo`: its bytes (File or Blob), if the browser has them; `scenario`: one to change. */
export async function openScenarioForm(app, { exchange = null, photo = null, scenario = null }) {
  const uploads = exchange && !photo ? (await json("/uploads")).requests : [];
  if (exchange && !photo && uploads.includes(exchange.id)) photo = await blob(`/requests/${exchange.id}/image`);
  const start = scenario ? compact(scenario) : fromExchange(exchange, photo);
  const shown = scenario && scenario.pictures.length ? await ownPicture(scenario.pictures[0]) : photo || (await galleryPicture(exchange));
  new ScenarioForm(app, { exchange, photo, scenario, document: start, shown, isKept: Boolean(exchange && uploads.includes(exchange.id)) }).open();
}

/** The picture of a request for an image URL, if it leads to the gallery. */
function galleryPicture(exchange) {
  const name = (exchange && exchange.url && exchange.image && exchange.url.split("/images/")[1]) || "";
  return name ? ownPicture(`/images/${name}`) : null;
}

async function ownPicture(path) {
  const reply = await fetch(`..${path}`);
  return reply.ok ? reply.blob() : null;
}

function fromExchange(exchange, photo) {
  const name = scenarioName((exchange && (exchange.filename || (exchange.url || "").split("/").pop())) || (photo && photo.name) || "photo");
  const product = (exchange && exchange.product) || "plate";
  const text = (exchange && exchange.match !== "synthesized" && exchange.text) || "";
  const image = photo || (exchange && exchange.image) ? { image: name + endingOf(photo) } : {};
  return { scenario: name, when: image, reading: { [product]: { text } } };
}

const endingOf = (photo) => (photo && ENDINGS[photo.type]) || ".jpg";

class ScenarioForm {
  constructor(app, given) {
    Object.assign(this, given);
    this.app = app;
    this.mistakes = el("ul", { class: "mistakes", "aria-live": "polite" });
    this.yaml = el("pre", {});
    this.check = debounced(() => this.validate());
    this.propose = debounced(() => this.proposeBox(), 400);
    this.isBoxOwn = Boolean(this.part && this.part.box);
  }

  /** The product that is read: "plate" or "vin"; "text" for other text, "" for nothing. */
  get kind() {
    const reading = this.document.reading || {};
    return ["plate", "vin", "text"].find((kind) => reading[kind] !== undefined) || (reading.plates ? "plates" : "");
  }

  get part() {
    const reading = this.document.reading || {};
    return reading.plate || reading.vin || (reading.plates && reading.plates[0]) || null;
  }

  open() {
    this.body = el("div", { class: "scenario-form" });
    const { edit } = this.app.workbench;
    const main = { class: "main" };
    const actions = [
      button("Serve it now", () => this.save("runtime"), main),
      edit && button("Save to the fixtures", () => this.save("files")),
      button("Download", () => this.download()),
    ];
    this.dialog = openDialog(this.scenario ? `Edit ${this.scenario.scenario}` : "Make it a scenario", [this.body], { actions });
    this.draw();
    this.validate();
    if (!this.scenario) this.propose();
  }

  draw() {
    const { document: doc, part } = this;
    const kinds = [["plate", "a plate"], ["vin", "a VIN"], ["text", "other text"], ["", "nothing to read"]];
    if (this.kind === "plates") kinds.unshift(["plates", "several plates (the first is shown)"]);
    const text = el("input", { name: "text", value: part ? part.text : (doc.reading || {}).text || "", autocomplete: "off", class: "mono", spellcheck: "false" });
    text.addEventListener("input", () => this.setText(text.value));
    const name = el("input", { name: "scenario", value: doc.scenario, autocomplete: "off", readonly: Boolean(this.scenario) });
    name.addEventListener("input", () => this.change(() => { doc.scenario = name.value.trim(); }));
    const kind = select("kind", kinds, this.kind);
    kind.addEventListener("change", () => this.setKind(kind.value));
    const region = el("input", { name: "region", value: (part && part.region) || "", placeholder: "us-ca", autocomplete: "off" });
    region.addEventListener("input", () => this.change(() => set(this.part, "region", region.value.trim())));
    const description = el("input", { name: "description", value: doc.description || "", autocomplete: "off" });
    description.addEventListener("input", () => this.change(() => set(doc, "description", description.value)));
    this.whole = el("textarea", { class: "mono wide", rows: 10, "aria-label": "The whole document as JSON", spellcheck: "false" });
    this.whole.addEventListener("input", () => this.setWhole());
    const fields = el("div", { class: "fields" },
      field("Text", text), field("On the picture is", kind), field("Name", name),
      ["plate", "plates"].includes(this.kind) && field("Region", region), field("Description", description),
      this.drawSteps(), this.mistakes,
      el("details", {}, el("summary", {}, "Whole document"), this.whole),
      el("details", {}, el("summary", {}, "The file"), this.yaml));
    this.body.replaceChildren(el("div", { class: "picture" }, ...this.drawPicture()), fields);
    this.whole.value = JSON.stringify(doc, null, 2);
    if (!this.scenario) text.focus();
  }

  drawPicture() {
    if (!this.shown) return [el("p", { class: "soft" }, this.exchange && !this.exchange.url ? "The upload is no longer kept." : "No picture: requests are recognised by their facts.")];
    if (!this.url) {
      this.url = URL.createObjectURL(this.shown);
      this.dialog.addEventListener("close", () => URL.revokeObjectURL(this.url));
    }
    const corners = el("input", { name: "box", class: "mono", placeholder: "xmin, ymin, xmax, ymax", autocomplete: "off" });
    const show = (box) => { corners.value = box ? box.join(", ") : ""; };
    this.editor = boxEditor(this.url, "The picture of the scenario", (box) => { this.isBoxOwn = true; show(box); this.change(() => set(this.part, "box", box)); });
    corners.addEventListener("input", () => this.change(() => {
      this.isBoxOwn = true;
      const box = corners.value.split(",").map((text) => Number.parseInt(text, 10));
      set(this.part, "box", corners.value.trim() ? box.map((one) => (Number.isNaN(one) ? 0 : one)) : null);
      this.editor.set(box.length === 4 && !box.some(Number.isNaN) ? box : null);
    }));
    this.showBox = (box) => { this.editor.set(box); show(box); };
    if (this.part && this.part.box) this.showBox(this.part.box);
    return [this.editor.element, field("Box of the text", corners, "Drag over the text, or type the corners. Without a box the whole picture is compared.")];
  }

  drawSteps() {
    const steps = this.document.then || [{ outcome: "read" }];
    const { outcomes, faults } = this.app.workbench;
    const rows = steps.map((step, place) => {
      if (step.reply) return el("div", { class: "step" }, el("code", {}, "a written reply"), el("span", { class: "soft" }, "change it in the whole document"));
      const what = select("what", [...outcomes, ...faults.map((fault) => [`fault ${fault}`, fault])], step.fault ? `fault ${step.fault}` : step.outcome || "read", { "aria-label": `Step ${place + 1}` });
      what.addEventListener("change", () => this.setStep(place, what.value.startsWith("fault ") ? { fault: what.value.slice(6), outcome: undefined } : { outcome: what.value, fault: undefined }));
      const times = el("input", { name: "times", type: "number", min: 1, value: step.times || "", placeholder: "times", "aria-label": `Calls of step ${place + 1}` });
      times.addEventListener("input", () => this.setStep(place, { times: times.value ? Number(times.value) : undefined }));
      const delay = el("input", { name: "delay", value: typeof step.delay === "object" ? JSON.stringify(step.delay) : step.delay || "", placeholder: "delay: 200ms", "aria-label": `Delay of step ${place + 1}`, readonly: typeof step.delay === "object" });
      delay.addEventListener("input", () => this.setStep(place, { delay: delay.value.trim() || undefined }));
      return el("div", { class: "step" }, what, times, delay, steps.length > 1 && button("Remove", () => this.setSteps(steps.filter((_, other) => other !== place)), { "aria-label": `Remove step ${place + 1}` }));
    });
    const add = button("Add a step", () => this.setSteps([...steps.map((step, place) => (place === steps.length - 1 && !step.times ? { ...step, times: 1 } : step)), { outcome: "read" }]));
    return el("fieldset", {}, el("legend", {}, "What is answered"), ...rows, add);
  }

  setSteps(steps) {
    this.document.then = steps;
    this.draw();
    this.check();
  }

  setStep(place, changes) {
    this.change(() => {
      const steps = structuredClone(this.document.then || [{ outcome: "read" }]);
      for (const [name, value] of Object.entries(changes)) set(steps[place], name, value);
      this.document.then = steps;
    });
  }

  setText(value) {
    this.change(() => {
      if (!this.part) { this.document.reading = { text: value }; return; }
      this.part.text = value;
      delete this.part.candidates;
      if (!this.isBoxOwn) this.propose();
    });
  }

  setKind(kind) {
    const { part } = this;
    const text = part ? part.text : (this.document.reading || {}).text || "";
    if (kind !== "plates") this.document.reading = kind === "text" ? { text } : kind ? { [kind]: { ...(part && part.box ? { box: part.box } : {}), text } } : {};
    this.draw();
    this.check();
  }

  setWhole() {
    try {
      this.document = JSON.parse(this.whole.value);
    } catch (error) {
      this.showMistakes([{ detail: error.message }]);
      return;
    }
    this.check();
  }

  change(work) {
    work();
    if (this.whole) this.whole.value = JSON.stringify(this.document, null, 2);
    this.check();
  }

  showMistakes(mistakes) {
    this.mistakes.replaceChildren(...mistakes.map((one) => el("li", {}, one.pointer && el("code", {}, one.pointer), " ", one.detail, one.hint && el("span", { class: "soft" }, ` — ${one.hint}`))));
  }

  async validate() {
    if (!this.dialog.open) return false;
    try {
      const { yaml, mistakes } = await send("POST", "/scenarios/validate", this.document);
      this.yaml.textContent = yaml || "";
      this.showMistakes(mistakes);
      return mistakes.length === 0;
    } catch (error) {
      this.showMistakes(error.mistakes && error.mistakes.length ? error.mistakes : [{ detail: error.message }]);
      return false;
    }
  }

  async proposeBox() {
    if (!this.shown || !this.part || !this.part.text || this.isBoxOwn || !this.dialog.open) return;
    const { text } = this.part;
    const found = await sendForm("POST", "/box", { image: this.shown, text }).catch(() => null);
    if (!found || this.isBoxOwn || this.part.text !== text) return;
    this.showBox(found.box);
    this.change(() => set(this.part, "box", found.box));
  }

  async save(save) {
    if (!(await this.validate())) return;
    try {
      const saved = this.scenario ? await this.saveChanged(save) : await this.saveNew(save);
      this.dialog.close();
      this.app.say(`${saved ? saved.scenario : this.document.scenario} is served now.`);
      this.app.refresh();
    } catch (error) {
      this.showMistakes(error.mistakes && error.mistakes.length ? error.mistakes : [{ detail: error.message }]);
    }
  }

  saveChanged(save) {
    return save === "files" ? send("PUT", `/scenarios/${encodeURIComponent(this.document.scenario)}/file`, this.document) : send("PUT", scenarioPath(this.scenario), this.document);
  }

  saveNew(save) {
    const { when, ...others } = this.document;
    if (this.exchange && (this.isKept || !this.photo)) {
      const { image, ...conditions } = when;
      return send("POST", `/requests/${this.exchange.id}/scenario`, { ...others, ...(Object.keys(conditions).length ? { when: conditions } : {}), save });
    }
    if (!this.photo) return save === "files" ? send("PUT", `/scenarios/${encodeURIComponent(others.scenario)}/file`, this.document) : send("POST", "/scenarios", this.document);
    const image = new File([this.photo], `${others.scenario}${endingOf(this.photo)}`, { type: this.photo.type });
    const document = { ...others, when: { ...when, image: image.name } };
    const form = { scenario: JSON.stringify(document), image };
    return save === "files" ? sendForm("PUT", `/scenarios/${encodeURIComponent(others.scenario)}/file`, form) : sendForm("POST", "/scenarios", form);
  }

  async download() {
    if (!(await this.validate())) return;
    download(`${this.document.scenario}.yaml`, new Blob([this.yaml.textContent], { type: "text/yaml" }));
    const image = (this.document.when || {}).image;
    if (this.shown && typeof image === "string") download(image.split("/").pop(), this.shown);
  }
}

function set(target, name, value) {
  if (!target) return;
  if (value === undefined || value === null || value === "") delete target[name];
  else target[name] = value;
}
