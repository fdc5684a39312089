/** The dashboard: tabs, the address, and the refreshes. Each view is a file of its own. */

import { AccountsView } from "./accounts_view.js";
import { call, json, send } from "./api.js";
import { ControlsView } from "./controls_view.js";
import { button, byId, confirmed, el, openDialog } from "./dom.js";
import { showInForce } from "./in_force.js";
import { MissesView } from "./misses_view.js";
import { ReportView } from "./report_view.js";
import { RequestsView } from "./requests_view.js";
import { ScenariosView } from "./scenarios_view.js";
import { TryView } from "./try_view.js";

const VIEWS = [TryView, ControlsView, RequestsView, MissesView, AccountsView, ScenariosView, ReportView];
const MILLISECONDS = 1500;

class App {
  params = {};
  view = null;
  views = new Map();
  mounted = new Map();
  refreshing = null;

  async start() {
    this.workbench = await json("/workbench");
    for (const View of VIEWS) {
      const view = new View(this);
      if (view.name !== "report" || this.workbench.report) this.views.set(view.name, view);
    }
    this.drawTabs();
    addEventListener("hashchange", () => this.follow());
    byId("metrics").addEventListener("click", (event) => { event.preventDefault(); this.act(() => this.showMetrics())(); });
    byId("reset").addEventListener("click", () => this.reset());
    await this.follow();
    this.tick();
  }

  drawTabs() {
    const names = [...this.views.keys()];
    for (const [name, view] of this.views) {
      const tab = el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": name, "aria-selected": "false", tabindex: "-1", onclick: () => this.go(name, {}) }, view.title);
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = event.key === "Home" ? names[0] : event.key === "End" ? names.at(-1) : step && names[(names.indexOf(name) + step + names.length) % names.length];
        if (!next) return;
        event.preventDefault();
        this.go(next, {});
        byId(`tab-${next}`).focus();
      });
      byId("tabs").append(tab);
      byId("views").append(el("section", { role: "tabpanel", id: name, "aria-labelledby": `tab-${name}`, hidden: true }));
    }
  }

  /** Goes to a view with parameters, which stand in the address. `quietly`: without a step in the browser's history. */
  go(name, params, quietly = false) {
    const query = new URLSearchParams(Object.entries(params)).toString();
    const address = `#${name}${query ? `?${query}` : ""}`;
    if (location.hash === address) return this.follow();
    if (!quietly) { location.hash = address; return null; }
    history.replaceState(null, "", address);
    return this.follow();
  }

  /** Shows what the address says. */
  async follow() {
    const [name, query] = location.hash.slice(1).split("?");
    this.params = Object.fromEntries(new URLSearchParams(query || ""));
    this.view = this.views.get(name) || this.views.get("try");
    for (const other of this.views.keys()) {
      const isChosen = other === this.view.name;
      byId(`tab-${other}`).setAttribute("aria-selected", String(isChosen));
      byId(`tab-${other}`).tabIndex = isChosen ? 0 : -1;
      byId(other).hidden = !isChosen;
    }
    document.title = `${this.view.title} · vehicle-ocr-mock`;
    await this.refresh();
  }

  /** Refreshes what is shown. Errors are shown, not thrown. */
  async refresh() {
    try {
      await this.load();
      byId("lost").hidden = true;
      return true;
    } catch (error) {
      const isGone = error instanceof TypeError;
      byId("lost").hidden = !isGone;
      if (!isGone) this.fail(error);
      return false;
    }
  }

  async load() {
    const { view } = this;
    if (!this.mounted.has(view.name)) {
      const root = byId(view.name);
      this.mounted.set(view.name, view.mount(root).catch((error) => { this.mounted.delete(view.name); root.replaceChildren(); throw error; }));
    }
    await this.mounted.get(view.name);
    const [health, clock] = await Promise.all([json("/health"), json("/clock"), view.refresh()]);
    byId("health").textContent = `${health.version} · ${health.scenarios} scenarios · ${health.images} pictures`;
    byId("clock").textContent = `${clock.now.slice(0, 19).replace("T", " ")} UTC`;
    await showInForce(this, health, clock);
  }

  async tick() {
    if (byId("live").checked && !document.hidden) await this.refresh();
    setTimeout(() => this.tick(), MILLISECONDS);
  }

  /** An event handler that does the work, shows its error, and refreshes. */
  act(work) {
    return async (event) => {
      if (event && event.stopPropagation) event.stopPropagation();
      try {
        await work();
        byId("notice").hidden = true;
        await this.refresh();
      } catch (error) {
        this.fail(error);
      }
    };
  }

  fail(error) {
    const details = (error.mistakes || []).slice(1).map((one) => one.detail);
    byId("notice").replaceChildren(el("span", {}, [error.message, ...details].join(" · ")), button("Dismiss", () => { byId("notice").hidden = true; }));
    byId("notice").hidden = false;
  }

  say(text) {
    byId("said").textContent = text;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { byId("said").textContent = ""; }, 6000);
  }

  async reset() {
    const what = "The mock goes back to its fixture files: runtime scenarios and accounts, overrides, the journal and uploads are deleted; counters and the clock are reset.";
    if (await confirmed(what, "Reset everything")) await this.act(() => send("POST", "/reset"))();
  }

  async showMetrics() {
    // A link cannot send the token.
    const reply = await call("/metrics");
    openDialog("Metrics", [el("pre", { tabindex: "0" }, await reply.text())]);
  }
}

const app = new App();
app.start().catch((error) => app.fail(error));
