/** Requests that no scenario matched, with the scenarios that come nearest. */

import { json } from "./api.js";
import { button, el, keyed } from "./dom.js";
import { canBeScenario, outcomeBadge, showExchange, thumbnail, time } from "./exchange_view.js";
import { openScenarioForm } from "./scenario_form.js";

/** Whether a scenario says something about a request: it shares a picture or a condition. */
export const matters = (miss) => miss.distance !== null || miss.held.length > 0;


export function missLine(miss) {
  const line = el("li", {}, el("strong", {}, miss.scenario));
  if (miss.distance !== null) {
    const share = Math.max(4, Math.min(100, 100 - 10 * (miss.distance - miss.limit)));
    line.append(el("progress", { max: 100, value: share, "aria-label": "similarity" }),
      el("span", { class: "soft" }, `distance ${miss.distance.toFixed(2)}, limit ${miss.limit}${miss.reason ? `: ${miss.reason.replace("_", " ")}` : ""}`));
  }
  for (const condition of miss.failed) {
    const text = condition === "image" && miss.distance === null ? "another picture" : `${condition} differs`;
    line.append(el("span", { class: "badge warn" }, text));
  }
  if (miss.region) line.append(el("span", { class: "soft mono" }, `at [${miss.region.join(", ")}]`));
  return line;
}

export class MissesView {
  name = "misses";
  title = "Near misses";

  constructor(app) {
    this.app = app;
  }

  async mount(root) {
    this.list = el("div");
    this.empty = el("p", { class: "empty" }, "A scenario matched every request.");
    root.append(this.list, this.empty);
  }

  async refresh() {
    const { nearMisses } = await json("/requests/unmatched/near-misses?limit=30");
    this.empty.hidden = nearMisses.length > 0;
    keyed(this.list, [...nearMisses].reverse(), (one) => one.request.id, (one) => this.card(one), (one) => JSON.stringify(one.scenarios));
  }

  card({ request, scenarios }) {
    const near = scenarios.filter(matters);
    return el("article", { class: "card miss" }, thumbnail(request, "large"),
      el("div", {},
        el("div", { class: "head" }, el("h3", {}, `${request.provider} ${request.product}`),
          el("span", { class: "soft" }, `${time(request.time)} · ${request.filename || request.url || ""}`)),
        outcomeBadge(request), " ", el("span", { class: "badge" }, request.match), " ", request.text && el("code", {}, request.text),
        near.length ? el("ol", {}, ...near.map(missLine)) : el("p", { class: "soft" }, "No scenario is near."),
        el("div", { class: "actions" },
          canBeScenario(request) && button("Make it a scenario", this.app.act(() => openScenarioForm(this.app, { exchange: request }))),
          button("Details", this.app.act(() => showExchange(this.app, request.id))))));
  }
}
