// A scene of local attribution: the SR picture with its target, the LR picture under the map, the map.

const INFERNO = ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"]
  .map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
const RAMP = INFERNO.map((rgb) => `rgb(${rgb})`).join(",");
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const PERCENT = Array.from({ length: 21 }, (_, i) => `${5 * i} %`);
const BRIGHTNESS = { "square root": (root) => root, linear: (root) => root * root };

/** RGB of a value in [0, 1], between the ramp's colours. */
function colour(value) {
  const at = Math.min(0.99999, Math.max(0, value)) * (INFERNO.length - 1), i = Math.floor(at);
  return INFERNO[i].map((low, c) => low + (at - i) * (INFERNO[i + 1][c] - low));
}

/** What a picture's address shows, as RGBA. */
async function pixels(src) {
  const picture = new Image();
  picture.src = src;
  await picture.decode();
  const { naturalWidth: width, naturalHeight: height } = picture;
  const pen = h("canvas", { width, height }).getContext("2d");
  pen.drawImage(picture, 0, 0);
  return pen.getImageData(0, 0, width, height);
}

/** Fill a canvas of height × width pixels with rgb(i) of each. */
function paint(canvas, height, width, rgb) {
  Object.assign(canvas, { height, width });
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  for (let i = 0; i < height * width; i++) image.data.set([...rgb(i), 255], 4 * i);
  pen.putImageData(image, 0, 0);
}

/** A map alone: its values in [0, 1], or grey where there is none yet. */
function paintMap(canvas, height, width, values) {
  paint(canvas, height, width, (i) => (values ? colour(values[i]) : [128, 128, 128]));
}

/** A map over its picture (RGBA), which fades to grey as the attribution takes over. */
function paintOverlay(canvas, { data, height, width }, values, opacity) {
  paint(canvas, height, width, (i) => {
    const own = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (!values) return own;
    const hot = colour(0.4 + 0.6 * values[i]), weight = opacity * Math.min(1, 2 * values[i]);
    const grey = 30 + 0.75 * (0.3 * own[0] + 0.59 * own[1] + 0.11 * own[2]);
    return own.map((value, c) => {
      const ground = value + opacity * (grey - value);
      return ground + weight * (hot[c] - ground);
    });
  });
}

const rampBar = (low, high, colours) => h("div", { class: "ramp", "aria-hidden": "true" },
  h("span", {}, low), h("i", { style: `background: linear-gradient(90deg, ${colours})` }), h("span", {}, high));

/**
 * The three views: {el, pick, cells, sr, resize, place, draw}. `pick` takes the focus and is where a
 * target is picked; `cells` is an SVG group over it.
 */
function makeScene(hint) {
  const target = () => h("svg:g", { class: "target" }, ...["under", "over"].map((kind) => h("svg:rect", { class: kind })));
  const marks = [target(), target(), target()], cells = h("svg:g", { class: "cells" });
  const frames = marks.map((mark, i) => h("svg:svg", { "aria-hidden": "true" }, ...(i ? [] : [cells]), mark));
  const canvas = (label) => h("canvas", { role: "img", "aria-label": label });
  const sr = h("canvas"), onLr = canvas("LR picture under the attribution"), alone = canvas("attribution map");
  const pick = h("div", { class: "view pick", tabindex: 0, role: "application",
    "aria-roledescription": "picture with targets", "aria-describedby": hint.id }, sr, frames[0]);
  const panel = (name, rest, ...views) =>
    h("div", { class: "panel" }, h("p", { class: "srlab-title" }, h("strong", {}, name), rest), ...views);
  const el = h("div", { class: "views" }, panel("SR", ": pick a target", pick),
    panel("LR", ": what decides it", h("div", { class: "view" }, onLr, frames[1])),
    panel("Map", "", h("div", { class: "view" }, alone, frames[2]), rampBar("0", "largest", RAMP)));
  return {
    el, pick, cells, sr, canvases: [sr, onLr, alone],
    /** For an SR picture of height × width pixels, and a target of `side`. */
    resize(height, width, side) {
      for (const frame of frames) frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
      for (const rect of marks.flatMap((mark) => [...mark.children])) {
        rect.setAttribute("width", side);
        rect.setAttribute("height", side);
      }
    },
    place(top, left) {
      for (const mark of marks) mark.setAttribute("transform", `translate(${left} ${top})`);
    },
    draw(lr, values, opacity) {
      paintMap(alone, lr.height, lr.width, values);
      paintOverlay(onLr, lr, values, opacity);
    },
  };
}

/** Call go(row, column) with the place of a click on a view, as fractions of its height and width. */
function onPick(view, go) {
  view.addEventListener("click", (event) => {
    const box = view.getBoundingClientRect();
    go((event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width);
  });
}
