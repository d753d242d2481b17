// The reader's own picture: opened, cut and reduced to what a network is given, all in this page.

const YOURS = "yours"; // what it is called among the pictures
const [LARGEST, SMALLEST] = [64, 16]; // LR pixels that a picture may, and must, have on a side
const PREVIEW = 220;

/** A button that opens a file, and the field behind it. */
function fileButton(title, accept, receive) {
  const input = h("input", { type: "file", accept, hidden: true, "aria-label": title,
    onchange: () => { if (input.files[0]) receive(input.files[0]); input.value = ""; } });
  return [h("button", { type: "button", onclick: () => input.click() }, title), input];
}

/** Receive what is dropped on an element, or pasted anywhere; returns what ends it. */
function takeFiles(root, receive) {
  const take = (files) => { if (files[0]) receive(files[0]); };
  const paste = (event) => take(event.clipboardData.files);
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}

/** The pixels of a part {top, left, height, width} of a bitmap, on white, with at most `most` on a side. */
function pixelsOf(bitmap, { top, left, height, width }, most) {
  const factor = Math.min(1, most / Math.max(height, width));
  const [rows, columns] = [height, width].map((side) => Math.max(1, Math.round(side * factor)));
  const pen = h("canvas", { width: columns, height: rows }).getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, columns, rows);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, left, top, width, height, 0, 0, columns, rows);
  return pen.getImageData(0, 0, columns, rows);
}

/** For each new line [[old line, weight], …]: antialiased bicubic (a = −½), as srlab's `downsample`. */
function lineWeights(from, to) {
  const step = from / to;
  const cubic = (t) => (t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((2.5 - 0.5 * t) * t - 4) * t + 2 : 0);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step, taps = [];
    const [first, last] = [-2, 2].map((reach) => Math.trunc(centre + reach * step + 0.5));
    for (let k = Math.max(0, first); k < Math.min(from, last); k++) taps.push([k, cubic(Math.abs(k + 0.5 - centre) / step)]);
    const whole = taps.reduce((sum, [, weight]) => sum + weight, 0);
    return taps.map(([k, weight]) => [k, weight / whole]);
  });
}

/** An image (RGBA) of at most LARGEST pixels on a side, rounded to 8 bits. */
function reduced({ data, height, width }) {
  const factor = Math.min(1, LARGEST / Math.max(height, width));
  const [rows, columns] = [height, width].map((side) => Math.max(1, Math.round(side * factor)));
  const down = lineWeights(height, rows), across = lineWeights(width, columns);
  const narrow = new Float32Array(4 * height * columns), image = new ImageData(columns, rows); // it rounds and clips
  const mixed = (taps, value) => taps.reduce((sum, [k, weight]) => sum + weight * value(k), 0);
  for (let y = 0; y < height; y++) for (let x = 0; x < columns; x++) for (let c = 0; c < 4; c++) {
    narrow[4 * (y * columns + x) + c] = mixed(across[x], (k) => data[4 * (y * width + k) + c]);
  }
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) for (let c = 0; c < 4; c++) {
    image.data[4 * (y * columns + x) + c] = mixed(down[y], (k) => narrow[4 * (k * columns + x) + c]);
  }
  return image;
}

/**
 * Shows the reader's picture with the part that is used: {el, open(bitmap), image()}.
 * The part is chosen by a slider, and by a click or arrow keys on the picture; `changed` is told.
 * Of `smallest` pixels on a side there must be as many.
 */
function makeCutter(changed, smallest = SMALLEST) {
  let bitmap = null, sides = [], side = 0, middle = [0.5, 0.5];
  const canvas = h("canvas"), mark = h("i", { class: "cut" });
  const view = h("div", { class: "view", tabindex: 0, role: "application",
    "aria-roledescription": "picture with a part to use" }, canvas, mark);
  const sizes = slider("Part of it", (text) => { side = sides.find((own) => named(own) === text); refresh(); changed(); });
  const named = (own) => (own === sides[0] ? "all of it" : `${own}×${own} pixels`);
  function part() {
    const [height, width] = [Math.min(bitmap.height, side), Math.min(bitmap.width, side)];
    const from = (centre, own, whole) => Math.round(Math.min(whole - own, Math.max(0, centre * whole - own / 2)));
    return { height, width, top: from(middle[0], height, bitmap.height), left: from(middle[1], width, bitmap.width) };
  }
  function refresh() {
    const { top, left, height, width } = part();
    const percent = (own, whole) => `${(100 * own) / whole}%`;
    Object.assign(mark.style, { top: percent(top, bitmap.height), height: percent(height, bitmap.height),
      left: percent(left, bitmap.width), width: percent(width, bitmap.width) });
    sizes.show(sides.map(named), named(side));
    view.setAttribute("aria-label", `Your picture; used are ${width}×${height} of its ${bitmap.width}×${bitmap.height} ` +
      `pixels, from row ${top}, column ${left}`);
  }
  function move(row, column) {
    middle = [row, column].map((place) => Math.min(1, Math.max(0, place)));
    refresh();
    changed();
  }
  onPick(view, move);
  view.addEventListener("keydown", (event) => {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    move(middle[0] + (way[0] * side) / 8 / bitmap.height, middle[1] + (way[1] * side) / 8 / bitmap.width);
  });
  const el = h("div", { class: "cutter", hidden: true }, view, sizes.el);
  return {
    el,
    open(given) {
      [bitmap, middle] = [given, [0.5, 0.5]];
      const longest = Math.max(bitmap.height, bitmap.width);
      sides = [longest];
      for (let next = 1024; next >= LARGEST; next /= 2) if (next < longest) sides.push(next);
      side = longest;
      const small = pixelsOf(bitmap, { top: 0, left: 0, height: bitmap.height, width: bitmap.width }, PREVIEW);
      Object.assign(canvas, { height: small.height, width: small.width });
      canvas.getContext("2d").putImageData(small, 0, 0);
      refresh();
    },
    image() {
      const image = reduced(pixelsOf(bitmap, part(), 1024)); // what follows the browser is careful, not fast
      if (Math.min(image.height, image.width) >= smallest) return image;
      throw new Error(`Of this picture ${image.width}×${image.height} pixels would remain, and ${smallest} are needed ` +
        "on each side: use a smaller part of it.");
    },
  };
}
