/** The rehearsal report, where the server has one. */

import { blob, call, send } from "./api.js";
import { button, confirmed, download, el } from "./dom.js";

const FORMATS = { html: "report.html", json: "report.json", markdown: "report.md", junit: "report.xml" };

export class ReportView {
  name = "report";
  title = "Report";

  constructor(app) {
    this.app = app;
  }

  async mount(root) {
    const { app } = this;
    const save = ([format, name]) => button(`Download ${format}`, app.act(async () => download(name, await blob(`/report?format=${format}`))));
    const begin = async () => (await confirmed("The counts of the report begin anew.", "Begin anew")) && app.act(() => send("DELETE", "/report"))();
    this.text = el("pre", { tabindex: "0", class: "report", "aria-label": "The report" });
    root.append(el("div", { class: "bar" }, ...Object.entries(FORMATS).map(save), el("span", { class: "spacer" }), button("Begin anew…", begin, { class: "danger" })), this.text);
  }

  async refresh() {
    const reply = await call("/report?format=markdown");
    const text = await reply.text();
    if (this.text.textContent !== text) this.text.textContent = text;
  }
}
