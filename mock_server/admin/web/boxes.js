/** Boxes on pictures: shown, or drawn with the mouse and moved by keys. */

import { el, svg } from "./dom.js";

const STEP = 1;
const BIG_STEP = 10;

/** All boxes in a reply: [{label, kind, box: [xmin, ymin, xmax, ymax]}], whatever the provider calls their places. */
export function boxesOf(value, label = "", found = []) {
  if (Array.isArray(value)) value.forEach((item, place) => boxesOf(item, value.length > 1 ? `${label} ${place + 1}` : label, found));
  else if (value && typeof value === "object") {
    const corners = ["xmin", "ymin", "xmax", "ymax"].map((name) => value[name]);
    if (corners.every((corner) => typeof corner === "number")) found.push({ label: label || "text", kind: kindOf(label), box: corners });
    for (const [name, inner] of Object.entries(value)) boxesOf(inner, ["box", "results"].includes(name) ? label : `${label} ${name}`.trim(), found);
  }
  return found;
}

function kindOf(label) {
  return ["vehicle", "candidate"].find((kind) => label.includes(kind)) || "text";
}

function overlay(width, height, boxes) {
  const size = Math.max(width, height) / 45;
  const layer = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const { label, kind, box } of boxes) {
    const [left, top, right, bottom] = box;
    layer.append(svg("rect", { class: `box ${kind}`, x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) }));
    if (label) layer.append(svg("text", { class: `box ${kind}`, x: left, y: top > size ? top - size / 4 : bottom + size, "font-size": size }, label));
  }
  return layer;
}

/** A picture with boxes on it; the boxes are in pixels of a picture of `size` ({width, height}), by default of its own. */
export function pictureWithBoxes(url, alt, boxes, size = null) {
  const image = el("img", { alt });
  const frame = el("div", { class: "boxes" }, image);
  image.addEventListener("load", () => {
    const { width, height } = size || { width: image.naturalWidth, height: image.naturalHeight };
    frame.querySelectorAll("svg").forEach((layer) => layer.remove());
    frame.append(overlay(width, height, boxes));
  });
  image.src = url;
  return frame;
}

/** A picture on which one box is drawn. `changed` gets [xmin, ymin, xmax, ymax], or null where the box is removed. */
export function boxEditor(url, alt, changed) {
  const image = el("img", { alt, draggable: "false" });
  const pad = el("div", {
    class: "boxes editor", tabindex: "0", role: "group",
    "aria-label": "Box of the text. Drag to draw it. Arrow keys move it, with Shift they resize it, with Control by ten pixels; Delete removes it.",
  }, image);
  let box = null;
  let start = null;
  const limit = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
  const show = () => {
    pad.querySelectorAll("svg").forEach((layer) => layer.remove());
    if (image.naturalWidth) pad.append(overlay(image.naturalWidth, image.naturalHeight, box ? [{ label: "", kind: "text", box }] : []));
  };
  const set = (wanted) => {
    const { naturalWidth: width, naturalHeight: height } = image;
    box = wanted && [limit(wanted[0], width - 1), limit(wanted[1], height - 1), limit(wanted[2], width), limit(wanted[3], height)];
    if (box) { box[2] = Math.max(box[2], box[0] + 1); box[3] = Math.max(box[3], box[1] + 1); }
    show();
    changed(box);
  };
  const point = (event) => {
    const area = image.getBoundingClientRect();
    return [(event.clientX - area.left) * image.naturalWidth / area.width, (event.clientY - area.top) * image.naturalHeight / area.height];
  };
  pad.addEventListener("pointerdown", (event) => { start = point(event); pad.setPointerCapture(event.pointerId); });
  pad.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [x, y] = point(event);
    if (Math.abs(x - start[0]) + Math.abs(y - start[1]) > 4) set([Math.min(x, start[0]), Math.min(y, start[1]), Math.max(x, start[0]), Math.max(y, start[1])]);
  });
  pad.addEventListener("pointerup", () => { start = null; });
  pad.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") set(null);
    else if (move) {
      const { naturalWidth: width, naturalHeight: height } = image;
      const [left, top, right, bottom] = box || [width * 0.4, height * 0.45, width * 0.6, height * 0.55].map(Math.round);
      const step = event.ctrlKey ? BIG_STEP : STEP;
      const [x, y] = [move[0] * step, move[1] * step];
      if (event.shiftKey) set([left, top, right + x, bottom + y]);
      else if (left + x >= 0 && top + y >= 0 && right + x <= width && bottom + y <= height) set([left + x, top + y, right + x, bottom + y]);
    } else return;
    event.preventDefault();
  });
  image.addEventListener("load", show);
  image.src = url;
  return { element: pad, set: (wanted) => { box = wanted; show(); } };
}
