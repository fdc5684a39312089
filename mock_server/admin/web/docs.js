import { json } from "./api.js";
import { el } from "./dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api = null;

function resolved(schema) {
  return schema && schema.$ref ? { ...api.components.schemas[schema.$ref.split("/").pop()], name: schema.$ref.split("/").pop() } : schema || {};
}

/** A short description of the values that a schema allows. */
function kind(schema, depth = 0) {
  const known = resolved(schema);
  if (known.const !== undefined) return JSON.stringify(known.const);
  if (known.enum) return known.enum.map((value) => (value === null ? "null" : value)).join(" | ");
  for (const choice of ["oneOf", "anyOf"]) if (known[choice] && depth < 3) return known[choice].map((one) => kind(one, depth + 1)).join(" or ");
  if (known.type === "array") return `list of ${depth < 3 ? kind(known.items, depth + 1) : "…"}`;
  if (known.name) return known.name;
  const types = Array.isArray(known.type) ? known.type.join(" or ") : known.type || "any";
  return known.format ? `${types} (${known.format})` : types;
}

function table(head, rows) {
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)))))));
}

function properties(schema) {
  const known = resolved(schema);
  if (!known.properties) return [];
  const required = known.required || [];
  return [table(["Key", "What", ""], Object.entries(known.properties).map(([name, property]) => [
    el("code", {}, name + (required.includes(name) ? " *" : "")), el("span", { class: "mono" }, kind(property)), resolved(property).description || property.description || "",
  ]))];
}

function examples(content) {
  const shown = content.examples ? Object.entries(content.examples).map(([name, one]) => [name, one.value]) : [];
  if (content.example !== undefined) shown.push(["", content.example]);
  return shown.map(([name, value]) => el("div", {}, name && el("p", { class: "soft" }, name),
    el("pre", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2))));
}

function body(content) {
  return Object.entries(content).flatMap(([type, inner]) => [
    el("p", { class: "mono soft" }, type), ...properties(inner.schema), ...examples(inner)]);
}

function reply(status, response) {
  const tone = status < 300 ? "good" : status < 500 ? "warn" : "bad";
  const inner = response.content ? body(response.content) : [];
  const head = [el("span", { class: `badge ${tone}` }, status), " ", response.description.replaceAll("`", "")];
  return inner.length
    ? el("details", { class: "reply" }, el("summary", {}, ...head), ...inner)
    : el("p", {}, ...head);
}

function callCard(path, method, operation) {
  const inside = el("div", { class: "inside" });
  const card = el("details", { class: "call", id: operation.operationId },
    el("summary", {}, el("span", { class: `badge method ${method}` }, method.toUpperCase()), el("span", { class: "path mono" }, path),
      el("span", { class: "soft" }, operation.summary)), inside);
  card.dataset.text = `${method} ${path} ${operation.summary} ${operation.description || ""}`.toLowerCase();
  // Filled when it is opened, because the document is long.
  card.addEventListener("toggle", () => {
    if (!card.open || inside.childElementCount) return;
    if (operation.description) inside.append(el("p", {}, operation.description));
    if (operation.parameters && operation.parameters.length) {
      inside.append(el("h3", {}, "Parameters"), table(["Name", "In", "What", ""], operation.parameters.map((one) => [
        el("code", {}, one.name + (one.required ? " *" : "")), one.in, el("span", { class: "mono" }, kind(one.schema)), one.description || ""])));
    }
    if (operation.requestBody) inside.append(el("h3", {}, "Body"), ...body(operation.requestBody.content));
    inside.append(el("h3", {}, "Replies"), ...Object.entries(operation.responses).map(([status, one]) => reply(status, one)));
  });
  return card;
}

function show() {
  const byTag = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (operations[method]) byTag.get(operations[method].tags[0]).push(callCard(path, method, operations[method]));
    }
  }
  document.getElementById("about").textContent = api.info.description.replaceAll("`", "");
  document.getElementById("calls").replaceChildren(...[...byTag].map(([tag, cards]) => el("section", {}, el("h2", {}, tag), ...cards)));
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  if (wanted) { wanted.open = true; wanted.scrollIntoView(); }
}

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const section of document.querySelectorAll("#calls section")) {
    let any = false;
    for (const card of section.querySelectorAll("details.call")) {
      card.hidden = !words.every((word) => card.dataset.text.includes(word));
      any = any || !card.hidden;
    }
    section.hidden = !any;
  }
});
json("/openapi.json").then((found) => { api = found; show(); }).catch((error) => {
  document.getElementById("notice").hidden = false;
  document.getElementById("notice").textContent = error.message;
});
