/** Requests of the journal: their parts, as lists and dialogs show them. */

import { json, picture } from "./api.js";
import { button, el, facts, openDialog } from "./dom.js";
import { openScenarioForm } from "./scenario_form.js";

export function time(text) {
  return new Date(text).toISOString().slice(11, 23);
}

export function outcomeBadge(exchange) {
  const tone = exchange.fault || exchange.status >= 500 ? "bad" : exchange.status >= 400 ? "warn" : "good";
  return el("span", { class: `badge ${tone}` }, `${exchange.status} ${exchange.fault || exchange.outcome || "–"}`);
}

export function thumbnail(exchange, size = "") {
  if (!exchange.image) return el("span", { class: `thumb ${size}`, role: "img", "aria-label": "no picture" });
  const image = el("img", { class: `thumb ${size}`, alt: exchange.filename || "picture" });
  picture(`/requests/${exchange.id}/thumbnail`, exchange.image.sha256).then((url) => url && (image.src = url));
  return image;
}

export function loserLine(loser) {
  return el("div", {}, el("strong", {}, loser.scenario), ` (${loser.held.join(", ") || "no condition"}): ${loser.why}`);
}

export const canBeScenario = (exchange) => Boolean(exchange.product && (exchange.image || exchange.url));

/** Shows all that is known about a request. */
export async function showExchange(app, id) {
  const exchange = await json(`/requests/${id}`);
  const { image } = exchange;
  const make = button("Make it a scenario", app.act(async () => { dialog.close(); await openScenarioForm(app, { exchange }); }), { class: "main" });
  const dialog = openDialog(`${exchange.provider} ${exchange.product || ""} · ${exchange.status}`, [
    el("div", { class: "split" }, thumbnail(exchange, "large"), facts([
      ["Outcome", outcomeBadge(exchange)],
      ["Detail", exchange.detail],
      ["Scenario", exchange.scenario && `${exchange.scenario} (${exchange.match})`],
      ["Match", exchange.scenario ? null : exchange.match],
      ["Text", exchange.text && el("code", {}, exchange.text)],
      ["Account", exchange.account && `${exchange.account}, key ${exchange.key}, id ${exchange.key_id}`],
      ["Charged", exchange.charged],
      ["Forced", exchange.forced],
      ["Also held", exchange.losers.length ? el("div", {}, ...exchange.losers.map(loserLine)) : null],
      ["Delay", exchange.delay ? `${exchange.delay} s` : null],
      ["Picture", image && `${image.format} ${image.width} × ${image.height}, ${image.bytes} bytes`],
      ["File name", exchange.filename],
      ["URL", exchange.url],
      ["Language", exchange.language],
      ["Client", [exchange.client, exchange.source && `source ${exchange.source}`].filter(Boolean).join(", ")],
      ["Aliases", exchange.aliases.join(", ")],
      ["Notes", exchange.notes.join(", ")],
      ["Other fields", exchange.fields.join(", ")],
      ["Call", `${exchange.method} ${exchange.path}`],
      ["Time", `${exchange.time}, ${exchange.milliseconds} ms`],
      ["Request id", el("span", { class: "mono" }, exchange.id)],
    ])),
    el("details", {}, el("summary", {}, "Request headers"),
      el("pre", { tabindex: "0" }, Object.entries(exchange.headers).map(([name, value]) => `${name}: ${value}`).join("\n"))),
    el("h3", {}, "Reply"),
    el("pre", { tabindex: "0" }, typeof exchange.reply === "string" ? exchange.reply : JSON.stringify(exchange.reply, null, 2)),
  ], { actions: canBeScenario(exchange) ? [make] : [] });
}
