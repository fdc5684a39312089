/** Scenarios: found by their words, changed, deleted, exported. */

import { blob, json, picture, scenarioPath, send } from "./api.js";
import { button, confirmed, debounced, download, el, facts, keyed, openDialog } from "./dom.js";
import { openScenarioForm } from "./scenario_form.js";

const PAGE = 60;

export class ScenariosView {
  name = "scenarios";
  title = "Scenarios";

  constructor(app) {
    this.app = app;
  }

  async mount(root) {
    const { app } = this;
    this.search = el("input", { type: "search", placeholder: "find a scenario", "aria-label": "Find a scenario" });
    this.search.addEventListener("input", debounced(() => app.go("scenarios", this.search.value ? { find: this.search.value } : {}, true)));
    this.count = el("span", { class: "soft", role: "status" });
    this.previous = button("Previous", () => this.turn(-1));
    this.next = button("Next", () => this.turn(1));
    this.cards = el("div", { class: "cards" });
    this.empty = el("p", { class: "empty" });
    const create = app.act(() => openScenarioForm(app, {}));
    const save = app.act(async () => download("fixtures.zip", await blob("/export")));
    root.append(el("div", { class: "bar" }, this.search, button("New scenario", create, { class: "main" }), button("Export all", save),
      this.count, el("span", { class: "spacer" }), this.previous, this.next), this.cards, this.empty);
  }

  turn(step) {
    this.app.go("scenarios", { ...this.app.params, page: String(Number(this.app.params.page || 1) + step) });
  }

  async refresh() {
    const { scenarios } = await json("/scenarios");
    const { find = "", page: number = "1" } = this.app.params;
    if (document.activeElement !== this.search) this.search.value = find;
    const words = find.toLowerCase().split(/\s+/);
    const found = find ? scenarios.filter((one) => { const text = JSON.stringify(one).toLowerCase(); return words.every((word) => text.includes(word)); }) : scenarios;
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(pages, Math.max(1, Number(number) || 1));
    this.count.textContent = `${found.length} scenario${found.length === 1 ? "" : "s"}${pages > 1 ? `, page ${page} of ${pages}` : ""}`;
    [this.previous.hidden, this.next.hidden] = [page <= 1, page >= pages];
    this.empty.hidden = found.length > 0;
    this.empty.textContent = find ? "No scenario has these words." : "There are no scenarios yet.";
    const shown = found.slice((page - 1) * PAGE, page * PAGE);
    keyed(this.cards, shown, (one) => `${one.scenario} ${one.when.key || ""}`, (one) => this.card(one));
  }

  card(scenario) {
    const { app } = this;
    const steps = scenario.then.map((step) => (step.reply ? `reply ${step.reply.status || ""}` : step.fault || step.outcome)).join(" → ");
    const plates = (scenario.reading.plates || [scenario.reading.plate]).filter(Boolean).map((plate) => plate.text);
    const texts = [...plates, scenario.reading.vin && scenario.reading.vin.text, scenario.reading.text].filter(Boolean);
    const conditions = Object.entries(scenario.when).filter(([name]) => name !== "image")
      .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
    const card = el("article", { class: "card" });
    if (scenario.pictures.length) {
      const cover = el("img", { class: "cover", alt: `picture of ${scenario.scenario}` });
      picture(scenarioPath(scenario, "/thumbnail"), `${scenario.pictures[0]} ${scenario.scenario}`).then((url) => url && (cover.src = url));
      card.append(cover);
    }
    card.append(
      el("div", { class: "head" }, el("h3", {}, scenario.scenario),
        scenario.runtime ? el("span", { class: "badge warn" }, "runtime") : el("span", { class: "soft" }, scenario.file || "")),
      ...(scenario.description ? [el("p", { class: "soft" }, scenario.description)] : []),
      facts([["Reads", texts.length ? el("code", {}, texts.join(", ")) : null], ["When", conditions.join(", ")],
        ["Then", steps === "read" ? null : steps + (scenario.repeat === "cycle" ? " ↺" : "")],
        ["Positions", scenario.positions.map((one) => `${one.account || one.key}: ${one.position}`).join(", ")]]),
      el("div", { class: "actions" },
        button("Edit", app.act(() => openScenarioForm(app, { scenario }))),
        button("Document", () => openDialog(scenario.scenario, [el("pre", { tabindex: "0" }, JSON.stringify(scenario, null, 2))])),
        button("Requests", () => app.go("requests", { scenario: scenario.scenario })),
        (scenario.runtime || app.workbench.edit) && button("Delete…", () => this.delete(scenario), { class: "danger" })));
    return card;
  }

  async delete(scenario) {
    const what = scenario.runtime ? `The scenario ${scenario.scenario} is deleted.` : `The file ${scenario.file} is deleted, with its pictures that no other scenario has.`;
    if (!(await confirmed(what, "Delete"))) return;
    const path = scenario.runtime ? scenarioPath(scenario) : `/scenarios/${encodeURIComponent(scenario.scenario)}/file`;
    await this.app.act(() => send("DELETE", path))();
  }
}
