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

async function inflate(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function pixels(src, width, height) {
  const picture = new Image();
  picture.src = src;
  await picture.decode();
  const canvas = h("canvas", { width, height }), pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  return pen.getImageData(0, 0, width, height);
}

async function render({ model, el }) {
  const meta = model.get("meta"), { networks, pictures, scale, window: side } = meta;
  const [rows, columns] = meta.size, height = scale * rows, width = scale * columns;
  const names = pictures.map((picture) => picture.name);

  // ---- maps: the precomputed ones, and what a kernel adds
  const packed = await inflate(bytesOf(model.get("maps")));
  const keyOf = (...parts) => parts.join("\u0000");
  const maps = new Map(meta.places.map(([p, n, top, left], i) => [
    keyOf(names[p], networks[n], top, left),
    { roots: packed.subarray(i * rows * columns, (i + 1) * rows * columns), measures: meta.measures[i] },
  ]));
  const corner = () => [model.get("top"), model.get("left")];
  const mapOf = (network) => maps.get(keyOf(model.get("picture"), network, ...corner()));
  const grid = () => {
    const p = names.indexOf(model.get("picture"));
    const own = meta.places.filter(([picture]) => picture === p).map(([, , ...rest]) => rest.join());
    return [...new Set(own)].map((text) => text.split(",").map(Number));
  };
  const choose = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const lrOf = await Promise.all(pictures.map(({ lr }) => pixels(lr, columns, rows)));

  // ---- controls
  let brightness = "square root";
  const controls = {
    picture: pills("Picture", names, (value) => choose({ picture: value })),
    opacity: slider("Opacity of the attribution", (value) => choose({ opacity: parseInt(value) })),
    brightness: pills("Brightness", Object.keys(BRIGHTNESS), (value) => { brightness = value; refresh(); }),
  };

  // ---- three views of the same scene
  const canvas = (label) => h("canvas", { width: columns, height: rows, role: "img", "aria-label": label });
  const frame = (extra = {}) => h("svg:svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", ...extra });
  const windowMark = () => h("svg:g", { class: "target" },
    ...["under", "over"].map((kind) => h("svg:rect", { class: kind, width: side, height: side })));
  const onLr = canvas("LR picture under the attribution"), alone = canvas("attribution map");
  const sr = h("canvas", { width, height });
  const cells = h("svg:g", { class: "cells" });
  const marks = [windowMark(), windowMark(), windowMark()];
  const hint = h("p", { class: "srlab-hint", id: uid() });
  const scene = h("div", { class: "view pick", tabindex: 0, role: "application",
    "aria-roledescription": "picture with targets", "aria-describedby": hint.id }, sr, frame());
  scene.lastChild.append(cells, marks[0]);
  const view = (drawn, mark) => {
    const marked = frame();
    marked.append(mark);
    return h("div", { class: "view" }, drawn, marked);
  };
  const views = h("div", { class: "views" },
    h("div", { class: "panel" }, h("p", { class: "srlab-title" }, h("strong", {}, "SR"), ": pick a target"), scene),
    h("div", { class: "panel" }, h("p", { class: "srlab-title" }, h("strong", {}, "LR"), ": what decides it"), view(onLr, marks[1])),
    h("div", { class: "panel" }, h("p", { class: "srlab-title" }, h("strong", {}, "Map")), view(alone, marks[2]),
      h("div", { class: "ramp", "aria-hidden": "true" },
        h("span", {}, "0"), h("i", { style: `background: linear-gradient(90deg, ${RAMP})` }), h("span", {}, "largest"))));

  // ---- the networks as cards: choose one, compare all
  const group = uid();
  const cards = networks.map((network) => {
    const input = h("input", { type: "radio", name: group, value: network, onchange: () => choose({ network }) });
    const small = h("canvas", { width: columns, height: rows });
    const words = h("span", { class: "words" });
    return { network, input, small, words, el: h("label", { class: "srlab-card" }, input,
      h("span", { class: "face" }, small, h("span", { class: "text" }, h("strong", {}, network), words))) };
  });
  const deck = h("fieldset", { class: "deck" }, h("legend", {}, "Network: the same target through each"),
    ...cards.map((card) => card.el));
  const status = statusLine();

  // ---- drawing
  const shade = (root) => BRIGHTNESS[brightness](root / 255);
  function drawMap(target, roots) {
    const pen = target.getContext("2d"), image = pen.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++)
      image.data.set([...(roots ? colour(shade(roots[i])) : [128, 128, 128]), roots ? 255 : 40], 4 * i);
    pen.putImageData(image, 0, 0);
  }
  function drawOverlay(roots) {
    const lr = lrOf[names.indexOf(model.get("picture"))].data, opacity = model.get("opacity") / 100;
    const pen = onLr.getContext("2d"), image = pen.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const value = roots ? shade(roots[i]) : 0, rgb = colour(0.4 + 0.6 * value);
      const weight = opacity * Math.min(1, 2 * value);
      const grey = 0.3 * lr[4 * i] + 0.59 * lr[4 * i + 1] + 0.11 * lr[4 * i + 2];
      for (let c = 0; c < 3; c++) { // the picture fades to grey as the attribution takes over
        const ground = lr[4 * i + c] + (roots ? opacity : 0) * (30 + 0.75 * grey - lr[4 * i + c]);
        image.data[4 * i + c] = ground + weight * (rgb[c] - ground);
      }
      image.data[4 * i + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }
  let asked = 0;
  async function drawSr() {
    const own = ++asked, p = names.indexOf(model.get("picture")), n = networks.indexOf(model.get("network"));
    const picture = await pixels(pictures[p].sr[n], width, height);
    if (own === asked) sr.getContext("2d").putImageData(picture, 0, 0);
  }
  const number = (value, digits, unit = "") => (value == null ? "–" : value.toFixed(digits) + unit);
  function describe(measures) {
    const [di, error, psnr] = measures;
    return `DI ${number(di, 2)}, patch PSNR ${number(psnr, 1, "\u00a0dB")}, completeness error ` +
      (error == null ? "undefined" : `${number(100 * error, 2)}\u00a0%`);
  }

  // ---- everything that follows from the choice
  let drawn = "";
  function refresh() {
    const alive = kernel.computes, [top, left] = corner(), network = model.get("network");
    const picture = model.get("picture"), own = mapOf(network), targets = grid();
    const here = `${network} on ${picture}, target at row ${top}, column ${left}`;
    controls.picture.show(picture);
    controls.brightness.show(brightness);
    controls.opacity.show(PERCENT, PERCENT[Math.round(model.get("opacity") / 5)]);
    if (drawn !== (drawn = picture + network)) drawSr();
    for (const mark of marks) mark.setAttribute("transform", `translate(${left} ${top})`);
    cells.replaceChildren(...targets.map(([y, x]) =>
      h("svg:circle", { cx: x + side / 2, cy: y + side / 2, r: 1.6 })));
    drawMap(alone, own?.roots);
    drawOverlay(own?.roots);
    for (const card of cards) {
      const known = mapOf(card.network);
      card.input.checked = card.network === network;
      drawMap(card.small, known?.roots);
      const [di, , psnr] = known?.measures ?? [];
      card.words.replaceChildren(...(known
        ? [h("span", {}, `DI ${number(di, 2)}`), h("span", {}, number(psnr, 1, " dB"))]
        : [h("span", {}, alive ? "choose to compute" : "not computed")]));
    }
    hint.textContent = alive
      ? "Click anywhere for a new target. With the picture focused, the arrow keys go from dot to dot, " +
        `with Shift by ${scale} pixels.`
      : "Click a target (a dot marks its middle), or focus the picture and use the arrow keys. " +
        "Any other target needs a running notebook (JupyterLab, Colab, VS Code).";
    scene.setAttribute("aria-label", `SR picture: ${here}, one of ${targets.length} targets`);
    views.setAttribute("aria-busy", String(!own && alive));
    if (own) status.say(`${here}: ${describe(own.measures)}.`);
    else if (alive) ask({ key: keyOf(picture, network, top, left), here, request: { picture, network, top, left } });
    else if (targets.length) choose( // nobody to compute: the nearest that is there
      Object.fromEntries(["top", "left"].map((k, i) => [k, closest(targets, top, left)[i]])));
  }
  const closest = (targets, top, left) => targets.reduce((a, b) =>
    (Math.hypot(b[0] - top, b[1] - left) < Math.hypot(a[0] - top, a[1] - left) ? b : a));

  // ---- picking a target
  const go = ([top, left]) => choose({
    top: Math.max(0, Math.min(height - side - 1, Math.round(top))), // the target reads one pixel more
    left: Math.max(0, Math.min(width - side - 1, Math.round(left))),
  });
  scene.addEventListener("click", (event) => {
    const box = sr.getBoundingClientRect();
    go([((event.clientY - box.top) / box.height) * height - side / 2,
      ((event.clientX - box.left) / box.width) * width - side / 2]);
  });
  scene.addEventListener("keydown", (event) => {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    const [top, left] = corner();
    if (event.shiftKey && kernel.computes) return go([top + scale * way[0], left + scale * way[1]]);
    const ahead = grid().filter(([y, x]) => (y - top) * way[0] + (x - left) * way[1] > 0);
    const cost = ([y, x]) => Math.abs((y - top) * way[0] + (x - left) * way[1]) +
      3 * Math.abs((y - top) * way[1] + (x - left) * way[0]);
    if (ahead.length) go(ahead.reduce((a, b) => (cost(b) < cost(a) ? b : a)));
  });

  const kernel = connect(model, () => refresh());
  const ask = newestOnly(kernel, {
    started: ({ here }) => status.busy(`Computing ${here} …`),
    done: ({ key }, { content, buffers }) => {
      maps.set(key, { roots: bytesOf(buffers[0]).slice(), measures: content.measures });
      if (mapOf(model.get("network"))) refresh();
    },
    failed: (error) => { views.setAttribute("aria-busy", "false"); status.fail(error.message); },
  });

  el.append(h("div", { class: "srlab-explorer srlab-lam", "data-lm-suppress-shortcuts": true },
    h("div", { class: "srlab-controls" }, controls.picture.el, controls.opacity.el, controls.brightness.el),
    deck, views, hint, status.el));

  const unfollow = follow(model, ["picture", "network", "top", "left", "opacity"], refresh);
  refresh();
  return () => {
    kernel.close();
    unfollow();
  };
}

export default { render };
