
const byId = (id) => document.getElementById(id);
const SHOWN = 100;
let view = "requests";
let last = "";

function showError(error) {
  byId("notice").hidden = false;
  byId("notice").textContent = error.message;
}

/** Returns an event handler that does the work, shows an error, and refreshes the view. */
function act(work) {
  return async (event) => {
    if (event) event.stopPropagation();
    try {
      await work();
      byId("notice").hidden = true;
      last = "";
      await refresh();
    } catch (error) {
      showError(error);
    }
  };
}

function tone(exchange) {
  if (exchange.fault || exchange.status >= 500) return "bad";
  return exchange.status >= 400 ? "warn" : "good";
}

function time(text) {
  return new Date(text).toISOString().slice(11, 23);
}

function thumbnail(exchange, size = "") {
  const image = el("img", { class: `thumb ${size}`, alt: exchange.filename || "picture" });
  if (!exchange.image) return el("span", { class: `thumb ${size}`, role: "img", "aria-label": "no picture" });
  picture(`/requests/${exchange.id}/thumbnail`, exchange.image.sha256).then((url) => url && (image.src = url));
  return image;
}

function outcome(exchange) {
  const text = `${exchange.status} ${exchange.fault || exchange.outcome || "–"}`;
  return el("span", { class: `badge ${tone(exchange)}` }, text);
}

function row(exchange) {
  const open = () => showExchange(exchange);
  return el(
    "tr",
    { class: "open", onclick: open },
    el("td", {}, thumbnail(exchange)),
    el("td", { class: "time" }, time(exchange.time)),
    el("td", {}, el("button", { class: "link", onclick: (event) => { event.stopPropagation(); open(); } },
      `${exchange.provider} ${exchange.product || ""}`), el("br"), el("span", { class: "soft mono" }, exchange.path)),
    el("td", {}, outcome(exchange)),
    el("td", {}, exchange.scenario || el("span", { class: "soft" }, "–")),
    el("td", {}, el("span", { class: "badge" }, exchange.match)),
    el("td", {}, exchange.account || el("span", { class: "mono" }, exchange.key || "–")),
    el("td", { class: "number" }, String(exchange.charged)),
    el("td", { class: "number" }, exchange.milliseconds.toFixed(1)),
  );
}

function facts(pairs) {
  const list = el("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "" || value.length === 0) continue;
    list.append(el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value)));
  }
  return list;
}

function showDialog(title, ...content) {
  const close = el("button", { class: "main", onclick: () => dialog.close() }, "Close");
  const dialog = el("dialog", { "aria-label": title }, el("h2", {}, title), ...content, el("div", { class: "actions" }, close));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

function loserLine(loser) {
  return el("div", {}, el("strong", {}, loser.scenario), ` (${loser.held.join(", ") || "no condition"}): ${loser.why}`);
}

function showExchange(exchange) {
  const image = exchange.image;
  showDialog(
    `${exchange.provider} ${exchange.product || ""} · ${exchange.status}`,
    el("div", { class: "split" }, thumbnail(exchange, "large"), facts([
      ["Outcome", outcome(exchange)],
      ["Scenario", exchange.scenario && `${exchange.scenario} (${exchange.match})`],
      ["Account", exchange.account && `${exchange.account}, key ${exchange.key}, id ${exchange.key_id}`],
      ["Text", exchange.text && el("code", {}, exchange.text)],
      ["Charged", exchange.charged],
      ["Forced", exchange.forced],
      ["Detail", exchange.detail],
      ["Also held", exchange.losers.length ? el("div", {}, ...exchange.losers.map(loserLine)) : null],
      ["Delay", exchange.delay ? `${exchange.delay} s` : null],
      ["Picture", image && `${image.format} ${image.width} × ${image.height}, ${image.bytes} bytes`],
      ["File name", exchange.filename],
      ["URL", exchange.url],
      ["Client", [exchange.client, exchange.source && `source ${exchange.source}`].filter(Boolean).join(", ")],
      ["Aliases", exchange.aliases.join(", ")],
      ["Notes", exchange.notes.join(", ")],
      ["Other fields", exchange.fields.join(", ")],
      ["Time", `${exchange.time}, ${exchange.milliseconds} ms`],
      ["Request id", el("span", { class: "mono" }, exchange.id)],
    ])),
    el("details", {}, el("summary", {}, "Request headers"),
      el("pre", {}, Object.entries(exchange.headers).map(([name, value]) => `${name}: ${value}`).join("\n"))),
    el("pre", {}, typeof exchange.reply === "string" ? exchange.reply : JSON.stringify(exchange.reply, null, 2)),
  );
}

async function showRequests() {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(byId("filters"))) if (value) wanted.set(name, value);
  wanted.set("limit", SHOWN);
  const found = await json(`/requests?${wanted}`);
  const stamp = found.requests.map((exchange) => exchange.id).join() + found.total;
  if (stamp === last) return;
  last = stamp;
  const dropped = found.dropped ? `; ${found.dropped} older ones were dropped` : "";
  const shown = found.requests.length < found.total ? `, the latest ${found.requests.length} shown` : "";
  byId("total").textContent = found.total ? `${found.total} request${found.total === 1 ? "" : "s"}${shown}${dropped}` : "";
  byId("rows").replaceChildren(...found.requests.reverse().map(row));
  byId("none").hidden = found.total > 0;
}

function missLine(miss) {
  const line = el("li", {}, el("strong", {}, miss.scenario));
  if (miss.distance !== null) {
    const fill = el("i");
    fill.style.width = `${Math.max(4, Math.min(100, 100 - 10 * (miss.distance - miss.limit)))}%`;
    line.append(el("span", { class: "meter", title: "similarity" }, fill),
      el("span", { class: "soft" }, `distance ${miss.distance.toFixed(2)}, limit ${miss.limit}`));
  }
  for (const condition of miss.failed) {
    const text = condition === "image" && miss.distance === null ? "another picture" : `${condition} differs`;
    line.append(el("span", { class: "badge warn" }, text));
  }
  if (miss.region) line.append(el("span", { class: "soft mono" }, `at [${miss.region.join(", ")}]`));
  return line;
}

async function showMisses() {
  const found = (await json("/requests/unmatched/near-misses?limit=30")).nearMisses.reverse();
  const stamp = found.map((one) => one.request.id).join();
  if (stamp === last && found.length) return;
  last = stamp;
  const cards = found.map(({ request, scenarios }) => el("article", { class: "card miss" },
    thumbnail(request, "large"),
    el("div", {},
      el("div", { class: "head" }, el("h3", {}, `${request.provider} ${request.product}`),
        el("span", { class: "soft" }, `${time(request.time)} · ${request.filename || request.url || ""}`)),
      outcome(request), " ", el("span", { class: "badge" }, request.match),
      scenarios.length ? el("ol", {}, ...scenarios.map(missLine)) : el("p", { class: "soft" }, "No scenario is near."))));
  byId("misses").replaceChildren(...(cards.length ? cards : [el("p", { class: "empty" }, "A scenario matched every request.")]));
}

function accountCard(account) {
  const patch = (changes) => act(() => send("PATCH", `/accounts/${encodeURIComponent(account.key)}`, changes));
  const standing = account.status === "active" ? "good" : "bad";
  const units = (quota) => (quota.limit === "unlimited" ? `${quota.current} used, unlimited` : `${quota.current} of ${quota.limit}`);
  const topUp = () => {
    const more = (balance) => (typeof balance === "number" ? balance + 10 : balance);
    return send("PATCH", `/accounts/${encodeURIComponent(account.key)}`,
      { credits: { plate: more(account.credits.plate), vin: more(account.credits.vin) } });
  };
  const limited = Object.values(account.credits).some((balance) => typeof balance === "number");
  return el("article", { class: "card" },
    el("div", { class: "head" }, el("h3", {}, account.name), el("span", { class: `badge ${standing}` }, account.status)),
    facts([
      ["Key", el("code", {}, account.key)],
      ["Credits", `plate ${account.credits.plate}, vin ${account.credits.vin}`],
      ["Quota", `plate ${units(account.quota.plate)}; vin ${units(account.quota.vin)}`],
      ["Plans", account.plans.join(", ") || "none"],
      ["Rate limit", account.rate_limit],
      ["Tier", account.tier + (account.overage ? ", overage" : "")],
    ]),
    el("div", { class: "actions" },
      limited && el("button", { onclick: act(topUp) }, "+10 credits"),
      account.status === "active"
        ? el("button", { onclick: patch({ status: "blocked" }) }, "Block")
        : el("button", { onclick: patch({ status: "active" }) }, "Activate"),
      el("button", { onclick: act(() => json(`/reset?${new URLSearchParams({ key: account.key })}`, { method: "POST" })) }, "Reset"),
      el("button", { onclick: () => filterBy(account.key) }, "Requests")));
}

function filterBy(key) {
  byId("filters").elements.key.value = key;
  select("requests");
}

async function showAccounts() {
  const { accounts } = await json("/accounts");
  const stamp = JSON.stringify(accounts);
  if (stamp === last) return;
  last = stamp;
  const create = act(() => send("POST", "/accounts", {}));
  byId("accounts").replaceChildren(
    el("div", { class: "bar" }, el("button", { class: "main", onclick: create }, "New account"),
      el("span", { class: "soft" }, `${accounts.length} accounts`)),
    el("div", { class: "cards" }, ...accounts.map(accountCard)));
}

function scenarioCard(scenario) {
  const remove = act(() => json(`/scenarios/${scenario.scenario}`, { method: "DELETE" }));
  const steps = scenario.then.map((step) => step.fault || step.outcome).join(" → ");
  const plates = (scenario.reading.plates || [scenario.reading.plate]).filter(Boolean).map((plate) => plate.text);
  const texts = [...plates, scenario.reading.vin && scenario.reading.vin.text, scenario.reading.text].filter(Boolean);
  const conditions = Object.entries(scenario.when).filter(([name]) => name !== "image")
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const card = el("article", { class: "card" });
  if (scenario.pictures.length) {
    const cover = el("img", { class: "cover", alt: `picture of ${scenario.scenario}` });
    picture(`/scenarios/${scenario.scenario}/thumbnail`, scenario.pictures[0]).then((url) => url && (cover.src = url));
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
      el("button", { onclick: () => showDialog(scenario.scenario, el("pre", {}, JSON.stringify(scenario, null, 2))) }, "Document"),
      scenario.runtime && el("button", { onclick: remove }, "Delete")));
  return card;
}

async function showScenarios() {
  const { scenarios } = await json("/scenarios");
  const stamp = JSON.stringify(scenarios);
  if (stamp === last) return;
  last = stamp;
  byId("scenarios").replaceChildren(el("div", { class: "cards" }, ...scenarios.map(scenarioCard)));
}

async function showClock() {
  const [health, clock] = await Promise.all([json("/health"), json("/clock")]);
  byId("health").textContent = `${health.version} · ${health.scenarios} scenarios · ${health.images} pictures`;
  const { ok, mistakes } = health.fixtures;
  byId("broken").hidden = ok;
  byId("broken").textContent = ok
    ? ""
    : `The fixture files have mistakes, so the last good set is served: ${mistakes.join(" · ")}`;
  const shown = clock.now.slice(0, 19).replace("T", " ") + " UTC";
  const set = (document) => act(() => send("PUT", "/clock", document));
  const moved = clock.frozen || clock.offset !== 0;
  const signature = `${clock.frozen}${moved}`;
  const box = byId("clock");
  if (box.dataset.signature !== signature) {
    box.dataset.signature = signature;
    box.replaceChildren(
      el("time", { class: "mono" }),
      moved ? el("span", { class: "badge warn" }, clock.frozen ? "frozen" : "moved") : "",
      clock.frozen ? "" : el("button", { onclick: set({ freeze: true }) }, "Freeze"),
      el("button", { onclick: set({ advance: "1h" }) }, "+1 h"),
      el("button", { onclick: set({ advance: "31d" }) }, "+31 d"),
      moved ? el("button", { onclick: act(() => json("/clock", { method: "DELETE" })) }, "Release") : "");
  }
  box.querySelector("time").textContent = shown;
}

const VIEWS = { requests: showRequests, misses: showMisses, accounts: showAccounts, scenarios: showScenarios };

async function refresh() {
  await Promise.all([showClock(), VIEWS[view]()]);
}

function select(name) {
  view = name;
  last = "";
  for (const other of Object.keys(VIEWS)) {
    const tab = byId(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    byId(other).hidden = other !== name;
  }
  history.replaceState(null, "", `#${name}`);
  refresh().catch(showError);
}

async function showMetrics(event) {
  // A link cannot send the token.
  event.preventDefault();
  const reply = await call("/metrics");
  showDialog("Metrics", el("pre", {}, await reply.text()));
}

async function fillFilters() {
  // The schema of a filter lists every provider, outcome and kind of match.
  const fields = (await json("/openapi.json")).components.schemas.RequestFilter.properties;
  for (const name of ["provider", "outcome", "match"]) {
    for (const word of fields[name].enum.filter((word) => word !== "-")) {
      byId("filters").elements[name].append(el("option", {}, word));
    }
  }
}

function start() {
  byId("metrics").addEventListener("click", (event) => showMetrics(event).catch(showError));
  fillFilters().catch(showError);
  const names = Object.keys(VIEWS);
  for (const name of names) {
    byId(`tab-${name}`).addEventListener("click", () => select(name));
    byId(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = names[(names.indexOf(name) + step + names.length) % names.length];
      select(next);
      byId(`tab-${next}`).focus();
    });
  }
  byId("filters").addEventListener("input", () => { last = ""; refresh().catch(showError); });
  byId("filters").addEventListener("reset", () => setTimeout(() => { last = ""; refresh().catch(showError); }));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("delete-requests").addEventListener("click", act(() => json("/requests", { method: "DELETE" })));
  byId("reset").addEventListener("click", () => {
    if (confirm("Reset to the fixture files? Runtime scenarios and accounts and the journal are deleted; counters and the clock are reset.")) {
      act(() => json("/reset", { method: "POST" }))();
    }
  });
  select(names.includes(location.hash.slice(1)) ? location.hash.slice(1) : "requests");
  const tick = async () => {
    if (byId("live").checked && !document.hidden) {
      try {
        await refresh();
        byId("notice").hidden = true;
      } catch (error) {
        showError(new Error(`The server does not answer (${error.message}).`));
      }
    }
    setTimeout(tick, 1500);
  };
  setTimeout(tick, 1500);
}

start();
