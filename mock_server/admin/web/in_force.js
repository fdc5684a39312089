/** The bar on every tab: what is in force beside the scenarios, and the button that ends it. */

import { json, send } from "./api.js";
import { button, byId, el } from "./dom.js";
import { describe } from "./controls_view.js";

/** Shows the bar. It is hidden while nothing is in force. */
export async function showInForce(app, health, clock) {
  const [{ overrides }, { chaos, paused }, { accounts }] = await Promise.all([json("/overrides"), json("/chaos"), json("/accounts")]);
  const lines = overrides.map((one) => describe(one, accounts));
  const isChaotic = Object.keys(chaos).length > 0 && !paused;
  if (isChaotic) lines.push(`chaos of mock.yaml: ${Object.entries(chaos).map(([name, share]) => `${name} ${+(share * 100).toFixed(1)}%`).join(", ")}`);
  const isMoved = clock.frozen || clock.offset !== 0;
  if (isMoved) lines.push(clock.frozen ? `the clock stands still at ${clock.now.slice(0, 19).replace("T", " ")}` : "the clock is moved");
  const end = app.act(async () => {
    if (overrides.length) await send("DELETE", "/overrides");
    if (isChaotic) await send("DELETE", "/chaos");
    if (isMoved) await send("DELETE", "/clock");
  });
  const { ok, mistakes } = health.fixtures;
  draw(byId("in-force"), lines.join(" · "), lines.length > 0, () => [
    el("strong", {}, "In force: "), el("ul", {}, ...lines.map((line) => el("li", {}, line))), button("End all of it", end, { class: "danger" })]);
  draw(byId("broken"), mistakes.join("\n"), !ok, () => [
    el("strong", {}, "The fixture files have mistakes, so the last good set is served:"), el("ul", {}, ...mistakes.map((one) => el("li", {}, one))),
    button("Read them again", app.act(() => send("POST", "/reload")))]);
}

/** Fills a bar anew only if its text has changed, so that the focus stays. */
function draw(bar, stamp, isShown, content) {
  bar.hidden = !isShown;
  if (bar.dataset.stamp === stamp) return;
  bar.dataset.stamp = stamp;
  bar.replaceChildren(...(isShown ? content() : []));
}
