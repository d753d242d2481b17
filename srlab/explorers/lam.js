async function inflate(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
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
  const lrOf = await Promise.all(pictures.map(({ lr }) => pixels(lr)));

  // ---- controls
  const controls = {
    picture: pills("Picture", names, (value) => choose({ picture: value })),
    opacity: slider("Opacity of the attribution", (value) => choose({ opacity: parseInt(value) })),
    brightness: pills("Brightness", Object.keys(BRIGHTNESS), (value) => choose({ brightness: value })),
  };

  // ---- three views of the same scene
  const hint = h("p", { class: "srlab-hint", id: uid() });
  const scene = makeScene(hint), views = scene.el;
  scene.resize(height, width, side);
  Object.assign(scene.sr, { height, width });

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
  const shaded = (own) => own && Array.from(own.roots, (root) => BRIGHTNESS[model.get("brightness")](root / 255));
  let asked = 0;
  async function drawSr() {
    const own = ++asked, p = names.indexOf(model.get("picture")), n = networks.indexOf(model.get("network"));
    const picture = await pixels(pictures[p].sr[n]);
    if (own === asked) scene.sr.getContext("2d").putImageData(picture, 0, 0);
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
    controls.brightness.show(model.get("brightness"));
    controls.opacity.show(PERCENT, PERCENT[Math.round(model.get("opacity") / 5)]);
    if (drawn !== (drawn = picture + network)) drawSr();
    scene.place(top, left);
    scene.cells.replaceChildren(...targets.map(([y, x]) =>
      h("svg:circle", { cx: x + side / 2, cy: y + side / 2, r: 1.6 })));
    scene.draw(lrOf[names.indexOf(picture)], shaded(own), model.get("opacity") / 100);
    for (const card of cards) {
      const known = mapOf(card.network);
      card.input.checked = card.network === network;
      paintMap(card.small, rows, columns, shaded(known));
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
    scene.pick.setAttribute("aria-label", `SR picture: ${here}, one of ${targets.length} targets`);
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
  onPick(scene.pick, (row, column) => go([row * height - side / 2, column * width - side / 2]));
  scene.pick.addEventListener("keydown", (event) => {
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

  const root = h("div", { class: "srlab-explorer srlab-lam", "data-lm-suppress-shortcuts": true });
  const link = permalink(model, root, {
    picture: oneOf(names), network: oneOf(networks), top: wholeUpTo(height - side - 1),
    left: wholeUpTo(width - side - 1), opacity: wholeUpTo(100), brightness: oneOf(Object.keys(BRIGHTNESS)),
  });
  root.append(h("div", { class: "srlab-controls" }, controls.picture.el, controls.opacity.el, controls.brightness.el),
    deck, views, hint, status.el, link.el);
  el.append(root);

  const unfollow = follow(model, ["picture", "network", "top", "left", "opacity", "brightness"], refresh);
  refresh();
  return () => {
    kernel.close();
    link.close();
    unfollow();
  };
}

export default { render };
