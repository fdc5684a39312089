/** What happens to the next calls: outcomes, outages, chance, balances, the clock. */

import { json, send } from "./api.js";
import { button, el, field, keyed, select } from "./dom.js";
import { editAccount } from "./accounts_view.js";

const OUTAGES = ["upstream_down", "service_error", "upstream_timeout", "upstream_unreachable"];

/** What an override does, in words. */
export function describe(override, accounts) {
  const account = accounts.find((one) => one.key === override.key);
  const whom = [override.key ? `of ${account ? account.name : "a key"}` : "", override.provider ? `to ${override.provider}` : "", override.product ? `for ${override.product}` : ""].filter(Boolean).join(" ");
  const calls = override.remaining === "always" ? "every call" : override.remaining === 1 ? "the next call" : `the next ${override.remaining} calls`;
  const what = override.reply ? `a written reply${override.reply.status ? ` ${override.reply.status}` : ""}` : override.fault || override.outcome;
  const delay = override.delay ? ` after ${typeof override.delay === "string" ? override.delay : JSON.stringify(override.delay)}` : "";
  return `${calls}${whom ? ` ${whom}` : ""}: ${what}${override.chance ? ` with a chance of ${override.chance}` : ""}${delay}`;
}

export class ControlsView {
  name = "controls";
  title = "Controls";

  constructor(app) {
    this.app = app;
  }

  async mount(root) {
    const { app } = this;
    const { outcomes, faults, providers } = app.workbench;
    this.account = el("select", { name: "key" });
    this.provider = select("provider", [["", "every provider"], ...providers.map((one) => [one.name, one.title])]);
    this.product = select("product", [["", "every product"], ...new Set(providers.flatMap((one) => Object.keys(one.calls)))]);
    const fail = button("Fail the next call", app.act(() => this.put({ outcome: "service_error", times: 1 })), { class: "main" });
    root.append(
      el("section", { class: "panel" }, el("h2", {}, "For whom"), el("div", { class: "row" }, field("Account", this.account), field("Provider", this.provider), field("Product", this.product)),
        el("p", { class: "soft" }, "The same choice has one rule: a new one replaces it. A narrower choice goes first."), el("div", { class: "actions" }, fail)),
      el("div", { class: "panels" }, this.nextCalls(outcomes, faults), this.outage(outcomes, faults), this.chance(outcomes), this.balances(), this.clock()),
      el("section", { class: "panel" }, el("h2", {}, "In force"), (this.list = el("ul", { class: "plain" })), (this.none = el("p", { class: "soft" }, "Nothing: scenarios answer."))));
  }

  /** Sets what happens to the next calls, for the chosen account, provider and product. */
  put(rule) {
    const scope = Object.fromEntries([this.account, this.provider, this.product].map((one) => [one.name, one.value]).filter(([, value]) => value));
    return send("PUT", "/overrides", { ...scope, ...rule });
  }

  panel(title, ...content) {
    return el("form", { class: "panel", "aria-label": title, onsubmit: (event) => event.preventDefault() }, el("h2", {}, title), ...content);
  }

  nextCalls(outcomes, faults) {
    const what = select("what", [...outcomes.filter((name) => name !== "read"), ...faults.map((fault) => [`fault ${fault}`, fault]), ["reply", "a written reply"]], "service_error");
    const count = el("input", { name: "times", type: "number", min: 1, value: 1, required: true });
    const delay = el("input", { name: "delay", placeholder: "none, or 2s", autocomplete: "off" });
    const status = el("input", { name: "status", type: "number", min: 100, max: 599, value: 502 });
    const body = el("textarea", { name: "body", rows: 3, class: "mono wide" }, "<html>Bad Gateway</html>");
    const reply = el("div", { hidden: true }, field("Status", status), field("Body", body));
    what.addEventListener("change", () => { reply.hidden = what.value !== "reply"; });
    const rule = () => ({
      ...(what.value === "reply" ? { reply: { status: Number(status.value), body: body.value } } : what.value.startsWith("fault ") ? { fault: what.value.slice(6) } : { outcome: what.value }),
      times: Number(count.value), ...(delay.value.trim() ? { delay: delay.value.trim() } : {}),
    });
    return this.panel("Next calls", field("Answer", what), reply, field("How many calls", count), field("Delay", delay), button("Apply", this.app.act(() => this.put(rule())), { class: "main" }));
  }

  outage(outcomes, faults) {
    const kind = select("kind", [...OUTAGES.filter((name) => outcomes.includes(name)), ...faults.map((fault) => [`fault ${fault}`, fault])]);
    this.switch = el("button", { type: "button", role: "switch", "aria-checked": "false", class: "switch" }, "Outage");
    this.switch.addEventListener("click", this.app.act(async () => {
      if (this.outageId) await send("DELETE", `/overrides?id=${this.outageId}`);
      else await this.put({ ...(kind.value.startsWith("fault ") ? { fault: kind.value.slice(6) } : { outcome: kind.value }), times: "always" });
    }));
    return this.panel("Outage", field("Every call answers", kind), this.switch);
  }

  chance(outcomes) {
    const what = select("what", outcomes.filter((name) => name !== "read"), "service_error");
    const share = el("input", { name: "chance", type: "range", min: 0, max: 100, value: 10 });
    const shown = el("output", {}, "10%");
    share.addEventListener("input", () => { shown.textContent = `${share.value}%`; });
    const apply = this.app.act(() => {
      if (share.value !== "0") return this.put({ outcome: what.value, chance: `${share.value}%`, times: "always" });
      return this.end(this.overrides.filter((one) => one.chance && one.outcome === what.value));
    });
    return this.panel("Chance", field("Some calls answer", what), el("label", { class: "field" }, el("span", {}, "Share of the calls ", shown), share), button("Apply", apply, { class: "main" }));
  }

  balances() {
    const edit = button("Change the account…", () => {
      const account = this.accounts.find((one) => one.key === this.account.value) || this.accounts[0];
      if (account) editAccount(this.app, account);
    });
    return this.panel("Balances", el("p", { class: "soft" }, "Credits, quota, status and rate limit of the chosen account."), edit);
  }

  clock() {
    const { app } = this;
    const moment = el("input", { name: "moment", type: "datetime-local", step: 1 });
    const jump = el("input", { name: "advance", value: "1h", autocomplete: "off" });
    const put = (document) => app.act(() => send("PUT", "/clock", document()));
    return this.panel("Clock", field("Stand still at (UTC)", moment), button("Freeze", put(() => ({ freeze: moment.value ? `${moment.value}Z` : true }))),
      field("Move on by", jump), el("div", { class: "actions" }, button("Advance", put(() => ({ advance: jump.value.trim() }))), button("Release", app.act(() => send("DELETE", "/clock")))));
  }

  async end(overrides) {
    for (const one of overrides) await send("DELETE", `/overrides?id=${one.id}`);
  }

  async refresh() {
    const [{ overrides }, { accounts }] = await Promise.all([json("/overrides"), json("/accounts")]);
    [this.overrides, this.accounts] = [overrides, accounts];
    const stamp = JSON.stringify(accounts.map((one) => [one.key, one.name]));
    if (this.stamp !== stamp) {
      this.stamp = stamp;
      const chosen = this.account.value;
      this.account.replaceChildren(el("option", { value: "" }, "everybody"), ...accounts.map((one) => el("option", { value: one.key, selected: one.key === chosen }, one.name)));
    }
    const outage = overrides.find((one) => one.remaining === "always" && !one.chance);
    this.outageId = outage ? outage.id : "";
    this.switch.setAttribute("aria-checked", String(Boolean(outage)));
    this.none.hidden = overrides.length > 0;
    keyed(this.list, overrides, (one) => one.id, (one) => el("li", { class: "bar" }, describe(one, accounts), button("End", this.app.act(() => this.end([one])))));
  }
}
