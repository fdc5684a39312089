/** The rehearsal report, where the server has one. */

import { blob, call, hasToken, send } from "./api.js";
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
    const begin = async () => {
      if (!(await confirmed("The counts of the report begin anew.", "Begin anew"))) return;
      await app.act(() => send("DELETE", "/report"))();
      this.show();
    };
    // A frame cannot send the token, so the report is shown as text there.
    this.frame = hasToken() ? null : el("iframe", { title: "The rehearsal report", sandbox: true, class: "report" });
    this.text = el("pre", { tabindex: "0", class: "report", hidden: Boolean(this.frame) });
    root.append(el("div", { class: "bar" }, button("Show the latest", app.act(() => this.show()), { class: "main" }), ...Object.entries(FORMATS).map(save),
      el("span", { class: "spacer" }), button("Begin anew…", begin, { class: "danger" })), this.frame || "", this.text);
    await this.show();
  }

  async show() {
    if (this.frame) this.frame.src = "report?format=html";
    else this.text.textContent = await (await call("/report?format=markdown")).text();
  }

  /** The report is read, not watched: it changes when the user asks for the latest. */
  async refresh() {}
}
