/** The journal: filters in the address, pages, and only what is new at each refresh. */

import { json, send } from "./api.js";
import { button, confirmed, debounced, el, keyed, select } from "./dom.js";
import { outcomeBadge, showExchange, thumbnail, time } from "./exchange_view.js";

const PAGE = 100;
const FILTERS = ["search", "account", "scenario", "text", "key", "provider", "product", "outcome", "match", "status"];

export class RequestsView {
  name = "requests";
  title = "Requests";

  constructor(app) {
    this.app = app;
    this.shown = null; // the filters and the page that the list shows
    this.requests = [];
    this.total = 0;
    this.dropped = 0;
  }

  async mount(root) {
    const { providers, outcomes, matches } = this.app.workbench;
    const products = new Set(providers.flatMap((one) => Object.keys(one.calls)));
    const choice = (name, words) => select(name, [["", `any ${name}`], ...words], "", { "aria-label": name });
    const text = (name, hint, type = "search") => el("input", { name, type, placeholder: hint, "aria-label": hint, autocomplete: "off" });
    this.form = el("form", { class: "filters", "aria-label": "Filters" },
      text("search", "search everything"), text("account", "account"), text("scenario", "scenario"), text("text", "text that was read"),
      text("key", "full key"), choice("provider", [...providers.map((one) => one.name), "-"]), choice("product", products),
      choice("outcome", [...outcomes, "reply"]), choice("match", matches),
      el("input", { name: "status", type: "number", min: 100, max: 599, placeholder: "status", "aria-label": "status" }),
      button("Clear filters", () => this.app.go("requests", {})), button("Delete requests…", () => this.delete(), { class: "danger" }));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", debounced(() => this.app.go("requests", this.filters(), true), 200));
    this.count = el("span", { role: "status", class: "soft" });
    this.newest = button("Newest", () => this.app.go("requests", this.filters()));
    this.older = button("Older", () => this.app.go("requests", { ...this.filters(), before: this.requests[0].id }));
    this.rows = el("tbody");
    const heads = ["Picture", "Time", "Call", "Outcome", "Text", "Scenario", "Match", "Account"].map((head) => el("th", { scope: "col" }, head));
    const table = el("table", { class: "journal" }, el("caption", { class: "hidden" }, "Requests, the newest first"),
      el("thead", {}, el("tr", {}, ...heads, el("th", { scope: "col", class: "number" }, "Charged"), el("th", { scope: "col", class: "number" }, "ms"))), this.rows);
    this.scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Requests" }, table);
    this.empty = el("p", { class: "empty" });
    root.append(this.form, el("div", { class: "bar" }, this.count, el("span", { class: "spacer" }), this.newest, this.older), this.scroll, this.empty);
  }

  filters() {
    return Object.fromEntries(FILTERS.map((name) => [name, this.form.elements[name].value.trim()]).filter(([, value]) => value));
  }

  async refresh() {
    const { params } = this.app;
    for (const name of FILTERS) {
      const input = this.form.elements[name];
      if (document.activeElement !== input && input.value !== (params[name] || "")) input.value = params[name] || "";
    }
    const wanted = new URLSearchParams(Object.entries(params));
    wanted.set("parts", "true");
    const address = wanted.toString();
    const isFirst = address !== this.shown;
    wanted.set("limit", PAGE);
    const latest = this.requests.at(-1);
    if (!isFirst && !params.before && latest) wanted.set("after", latest.id);
    else if (!isFirst && params.before) return;
    const found = await json(`/requests?${wanted}`);
    if (this.app.params !== params) return;
    if (found.continued && found.dropped === this.dropped) {
      this.requests = [...this.requests, ...found.requests].slice(-PAGE);
      this.total += found.total;
    } else if (found.continued) {
      wanted.delete("after");
      const all = await json(`/requests?${wanted}`);
      [this.requests, this.total] = [all.requests, all.total];
    } else [this.requests, this.total] = [found.requests, found.total];
    this.dropped = found.dropped;
    this.shown = address;
    this.draw(params);
  }

  draw(params) {
    const { total, requests } = this;
    const dropped = this.dropped ? `; ${this.dropped} older ones were dropped` : "";
    const place = params.before ? ` before the chosen one, ${requests.length} shown` : requests.length < total ? `, the latest ${requests.length} shown` : "";
    this.count.textContent = total ? `${total} request${total === 1 ? "" : "s"}${place}${dropped}` : "";
    this.newest.hidden = !params.before;
    this.older.hidden = total <= requests.length;
    keyed(this.rows, [...requests].reverse(), (exchange) => exchange.id, (exchange) => this.row(exchange), (exchange) => exchange.id);
    this.scroll.hidden = !total;
    this.empty.hidden = total > 0;
    const isFiltered = FILTERS.some((name) => params[name]);
    this.empty.replaceChildren(...(isFiltered
      ? ["No request matches these filters. ", button("Clear filters", () => this.app.go("requests", {}))]
      : ["No requests yet. Send one from ", el("a", { href: "#try" }, "Try"), ", or point your client at this server."]));
  }

  row(exchange) {
    const { app } = this;
    const open = app.act(() => showExchange(app, exchange.id));
    const filter = (name, value, content = value) => (value
      ? el("button", { type: "button", class: "link", title: `only ${name} ${value}`, onclick: (event) => { event.stopPropagation(); app.go("requests", { ...this.filters(), [name]: value }); } }, content)
      : el("span", { class: "soft" }, "–"));
    return el("tr", { class: "open", onclick: open },
      el("td", {}, thumbnail(exchange)),
      el("td", { class: "time" }, time(exchange.time)),
      el("td", {}, el("button", { type: "button", class: "link", onclick: (event) => { event.stopPropagation(); open(); } }, `${exchange.provider} ${exchange.product || ""}`),
        el("div", { class: "soft mono cut" }, exchange.path)),
      el("td", {}, filter("outcome", exchange.outcome, outcomeBadge(exchange))),
      el("td", { class: "mono" }, filter("text", exchange.text)),
      el("td", {}, filter("scenario", exchange.scenario)),
      el("td", {}, filter("match", exchange.match)),
      el("td", {}, exchange.account ? filter("account", exchange.account) : el("span", { class: "mono" }, exchange.key || "–")),
      el("td", { class: "number" }, String(exchange.charged)),
      el("td", { class: "number" }, exchange.milliseconds.toFixed(1)));
  }

  async delete() {
    const { search, text, account, scenario, ...exact } = this.filters();
    const isPart = search || text || account || scenario;
    const all = Object.keys(exact).length === 0;
    if (isPart) { this.app.fail(new Error("Requests can be deleted by exact filters only: clear the text filters first.")); return; }
    if (!(await confirmed(all ? "All requests of the journal are deleted, with their uploads." : "The requests that match the filters are deleted, with their uploads.", "Delete"))) return;
    await this.app.act(() => send("DELETE", `/requests?${new URLSearchParams(exact)}`))();
  }
}
