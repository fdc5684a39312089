/** Accounts: their balances, and what changes them. */

import { accountPath, json, send } from "./api.js";
import { button, confirmed, debounced, el, facts, field, keyed, openDialog, select } from "./dom.js";

const STATUSES = ["active", "inactive", "disabled", "blocked"];
const PAGE = 60;

export class AccountsView {
  name = "accounts";
  title = "Accounts";

  constructor(app) {
    this.app = app;
  }

  async mount(root) {
    this.search = el("input", { type: "search", placeholder: "find an account", "aria-label": "Find an account" });
    this.search.addEventListener("input", debounced(() => this.app.go("accounts", this.search.value ? { find: this.search.value } : {}, true)));
    this.count = el("span", { class: "soft", role: "status" });
    this.cards = el("div", { class: "cards" });
    const create = this.app.act(async () => { const { name } = await send("POST", "/accounts", {}); this.app.say(`${name} is a new account.`); });
    root.append(el("div", { class: "bar" }, this.search, button("New account", create, { class: "main" }), this.count), this.cards);
  }

  async refresh() {
    const { accounts } = await json("/accounts");
    const find = this.app.params.find || "";
    if (document.activeElement !== this.search) this.search.value = find;
    const found = accounts.filter((one) => `${one.name} ${one.key} ${one.status}`.toLowerCase().includes(find.toLowerCase()));
    const more = found.length > PAGE ? `, the first ${PAGE} shown` : "";
    this.count.textContent = `${found.length} account${found.length === 1 ? "" : "s"}${more}`;
    keyed(this.cards, found.slice(0, PAGE), (one) => one.key, (one) => this.card(one));
  }

  card(account) {
    const { app } = this;
    const path = accountPath(account.key);
    const patch = (changes) => app.act(() => send("PATCH", path, changes));
    const units = (quota) => (quota.limit === "unlimited" ? `${quota.current} used, unlimited` : `${quota.current} of ${quota.limit}`);
    const reset = async () => (await confirmed(`The balances, the runtime scenarios and the requests of ${account.name} are reset.`, "Reset")) && app.act(() => send("POST", `/reset?${new URLSearchParams({ key: account.key })}`))();
    const remove = async () => (await confirmed(`The account ${account.name} is deleted.`, "Delete")) && app.act(() => send("DELETE", path))();
    return el("article", { class: "card" },
      el("div", { class: "head" }, el("h3", {}, account.name), el("span", { class: `badge ${account.status === "active" ? "good" : "bad"}` }, account.status)),
      facts([
        ["Key", el("code", {}, account.key)],
        ["Credits", `plate ${account.credits.plate}, vin ${account.credits.vin}`],
        ["Quota", `plate ${units(account.quota.plate)}; vin ${units(account.quota.vin)}`],
        ["Plans", account.plans.join(", ") || "none"],
        ["Rate limit", account.rate_limit],
        ["Tier", account.tier + (account.overage ? ", overage" : "")],
      ]),
      el("div", { class: "actions" },
        button("Edit", () => editAccount(app, account)),
        account.status === "active" ? button("Block", patch({ status: "blocked" })) : button("Activate", patch({ status: "active" })),
        button("Requests", () => app.go("requests", { account: account.name })),
        button("Reset…", reset), button("Delete…", remove, { class: "danger" })));
  }
}

const amount = (text) => (text.trim() === "" || text.trim() === "unlimited" ? "unlimited" : Number(text));

/** A form for what an account has and may do. */
export function editAccount(app, account) {
  const number = (name, value) => el("input", { name, value: String(value), inputmode: "numeric", autocomplete: "off" });
  const products = Object.keys(account.credits);
  const form = el("form", { class: "fields" },
    field("Status", select("status", STATUSES, account.status)),
    ...products.map((product) => field(`Credits, ${product}`, number(`credits-${product}`, account.credits[product]), "a number, or unlimited")),
    ...products.flatMap((product) => [
      field(`Quota, ${product}: limit`, number(`limit-${product}`, account.quota[product].limit)),
      field(`Quota, ${product}: used`, number(`used-${product}`, account.quota[product].current))]),
    field("Rate limit", el("input", { name: "rate_limit", value: account.rate_limit || "", placeholder: "2/second", autocomplete: "off" })));
  const error = el("p", { role: "alert", class: "mistakes" });
  const values = () => Object.fromEntries(new FormData(form));
  const save = async () => {
    const given = values();
    const changes = { status: given.status };
    if (given.rate_limit !== (account.rate_limit || "")) changes.rate_limit = given.rate_limit || null;
    for (const product of products) {
      if (given[`credits-${product}`] !== String(account.credits[product])) changes.credits = { ...changes.credits, [product]: amount(given[`credits-${product}`]) };
      const { limit, current } = account.quota[product];
      const quota = {};
      if (given[`limit-${product}`] !== String(limit)) quota.limit = amount(given[`limit-${product}`]);
      if (given[`used-${product}`] !== String(current)) quota.used = Number(given[`used-${product}`]);
      if (Object.keys(quota).length) changes.quota = { ...changes.quota, [product]: quota };
    }
    try {
      await send("PATCH", accountPath(account.key), changes);
      dialog.close();
      app.say(`${account.name} is changed.`);
      app.refresh();
    } catch (failure) {
      error.textContent = failure.message;
    }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  form.append(el("button", { type: "submit", class: "hidden", tabindex: "-1", "aria-hidden": "true" }, "Save"));
  const dialog = openDialog(`Account ${account.name}`, [form, error], { actions: [button("Save", save, { class: "main" })], small: true });
}
