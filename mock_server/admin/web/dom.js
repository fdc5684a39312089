/** DOM: elements, lists that keep the focus, dialogs. Text is never parsed as markup. */

export const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** A DOM element with attributes, event handlers ("onclick") and children. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** A label with its field below it. */
export function field(label, input, hint = "") {
  return el("label", { class: "field" }, el("span", {}, label), input, hint && el("small", { class: "soft" }, hint));
}

export function select(name, options, chosen = "", attributes = {}) {
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return el("select", { name, ...attributes }, ...pairs.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

/** A list of facts; those without a value are left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return el("dl", {}, ...shown.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value))]));
}

const stamps = new WeakMap();

/** Shows items as children of a container. A child whose item has not changed stays, with the focus and what is open in it. */
export function keyed(container, items, key, make, stamp = JSON.stringify) {
  const old = new Map([...container.children].map((child) => [child.dataset.key, child]));
  const focus = focusIn(container);
  let place = container.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const mark = stamp(item);
    let child = old.get(name);
    old.delete(name);
    if (child && stamps.get(child) !== mark) {
      const renewed = make(item);
      if (child === place) place = child.nextElementSibling;
      child.remove();
      child = renewed;
    } else if (!child) child = make(item);
    child.dataset.key = name;
    stamps.set(child, mark);
    if (child === place) place = place.nextElementSibling;
    else container.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
  restore(container, focus);
}

const FOCUSABLE = "button, input, select, textarea, a[href], summary";

function focusIn(container) {
  const active = document.activeElement;
  const child = container.contains(active) && active !== container && active.closest("[data-key]");
  return child && { key: child.dataset.key, place: [...child.querySelectorAll(FOCUSABLE)].indexOf(active), active };
}

function restore(container, focus) {
  if (!focus || container.contains(focus.active)) return;
  const child = [...container.children].find((one) => one.dataset.key === focus.key);
  const field = child && [...child.querySelectorAll(FOCUSABLE)][focus.place];
  if (field) field.focus();
}

/** Opens a dialog. Escape and its button close it; the focus returns to where it was. */
export function openDialog(title, content, { actions = [], small = false } = {}) {
  const heading = `dialog-${Math.random().toString(36).slice(2)}`;
  const close = button("Close", () => dialog.close());
  const dialog = el("dialog", { "aria-labelledby": heading, class: small ? "small" : "" },
    el("h2", { id: heading }, title), ...content, el("div", { class: "actions" }, ...actions, close));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Whether the user agrees to what cannot be undone. */
export function confirmed(question, verb) {
  return new Promise((resolve) => {
    let answer = false;
    const agree = button(verb, () => { answer = true; dialog.close(); }, { class: "danger" });
    const dialog = openDialog("Are you sure?", [el("p", {}, question)], { actions: [agree], small: true });
    dialog.addEventListener("close", () => resolve(answer));
  });
}

export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Calls `work` when no call has come for a while. */
export function debounced(work, milliseconds = 250) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}
