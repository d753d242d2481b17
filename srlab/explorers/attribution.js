// LAM in the page: any picture under any network that is an ONNX file, computed by the reader's browser.

const YOURS = "yours", NONE = "no other", WINDOW = 16; // SR pixels of a target's side
const TARGETS = { // as readers see them, and as srlab.named_measure has them; "residual" is SR less bicubic
  "gradient (LAM's)": "gradient", "upright edges": "edges:0", "level edges": "edges:90", brightness: "brightness",
  colour: "colour", "gradient of SR − bicubic": "residual",
};
const CUTS = { // of the path: steps of equal length, or as many nodes as an expected error asks
  "8 steps": { steps: 8 }, "16 steps": { steps: 16 }, "50 steps": { steps: 50 },
  "error ≤ 10 %": { steps: 0, tolerance: 0.1 }, "error ≤ 5 %": { steps: 0, tolerance: 0.05 }, "error ≤ 2 %": { steps: 0, tolerance: 0.02 },
};
const SIGMAS = ["0.6", "0.9", "1.2", "1.6", "2", "3", "4"];
const PRIVATE = "Nothing is uploaded: a picture or network of yours is read by this page and stays in this browser. " +
  "Files may also be dropped here, a picture pasted.";

/** A button that opens a file, and the field behind it. */
function fileButton(title, accept, receive) {
  const input = h("input", { type: "file", accept, hidden: true, "aria-label": title,
    onchange: () => { if (input.files[0]) receive(input.files[0]); input.value = ""; } });
  return [h("button", { type: "button", onclick: () => input.click() }, title), input];
}

/** A planar picture as RGBA. */
function imageOf(values, height, width) {
  const image = new ImageData(width, height), n = height * width;
  for (let i = 0; i < n; i++) image.data.set([0, 1, 2].map((c) => 255 * values[c * n + i]).concat(255), 4 * i);
  return image;
}

/** What is known already of what a reader may ask for, by the model's traits. */
function makeLedger(model, version) {
  const get = (name) => model.get(name);
  const picture = () => (get("picture") === YOURS ? `${YOURS} ${version()}` : get("picture"));
  const ledger = {
    lrs: new Map(), srs: new Map(), maps: new Map(),
    settings: () => ({ target: TARGETS[get("target")], sigma: Number(get("sigma")), ...CUTS[get("cut")] }),
    lrKey: picture,
    srKey: (network) => `${picture()}\u0000${network}`,
    mapKey: (network) => [ledger.srKey(network), get("top"), get("left"), get("target"), get("sigma"), get("cut")].join("\u0000"),
    get lr() { return ledger.lrs.get(picture()); },
    sr: (network) => ledger.srs.get(ledger.srKey(network)),
    map: (network) => ledger.maps.get(ledger.mapKey(network)),
    /** One network, or two. */
    networks: () => [...new Set([get("network"), get("beside")])].filter((name) => name !== NONE),
    /** SR pixels of this network for one of the first's, in which targets are told. */
    ratio: (network) => (ledger.sr(network)?.scale ?? 1) / (ledger.sr(get("network"))?.scale ?? ledger.sr(network)?.scale ?? 1),
    window(network) {
      const { lr } = ledger, ratio = ledger.ratio(network), size = Math.round(WINDOW * ratio);
      const scale = ledger.sr(network)?.scale ?? 4; // until it is known
      const within = (at, side) => Math.max(0, Math.min(scale * side - size - 1, Math.round(at * ratio))); // it reads one pixel more
      return { top: within(get("top"), lr.height), left: within(get("left"), lr.width), size };
    },
  };
  return ledger;
}

/** Answers a ledger's questions: {complete(name, grown), dismiss}. */
function makeComputer(ledger, networks, own) {
  const crew = makeCrew(() => asset("engine"), async (name) =>
    own.get(name) ?? fromBase64(await asset(networks.find((one) => one.name === name).file)));
  return {
    dismiss: crew.dismiss,
    async enlarge(network) {
      const key = ledger.srKey(network), lr = planar(ledger.lr);
      if (ledger.srs.has(key)) return;
      const { sr, scale } = await crew.enlarge(network, lr), [height, width] = [scale * lr.h, scale * lr.w];
      ledger.srs.set(key, { scale, height, width, planar: sr, image: imageOf(sr, height, width) });
    },
    async attribute(network, grown) {
      const key = ledger.mapKey(network), window = ledger.window(network), settings = ledger.settings();
      if (ledger.maps.has(key)) return;
      const found = await crew.attribute(network, planar(ledger.lr), window, settings, grown);
      const shown = magnitude(found.map);
      ledger.maps.set(key, { ...found, shown, di: diffusionIndex(shown), window, settings });
    },
  };
}

/** The choices: {el, show(), addPicture, addNetwork}. */
function makeControls(model, pictures, networks, choose, receive) {
  const one = (trait, make) => make((value) => choose({ [trait]: value }));
  const labels = [...networks];
  const made = {
    picture: one("picture", (pick) => pills("Picture", pictures, pick)),
    network: one("network", (pick) => pills("Network", networks, pick)),
    beside: one("beside", (pick) => menu("Compare with", pick)),
    target: one("target", (pick) => pills("Target", Object.keys(TARGETS), pick)),
    cut: one("cut", (pick) => slider("Path", pick)),
    sigma: one("sigma", (pick) => slider("Blur of the baseline, σ in LR pixels", pick)),
    opacity: slider("Opacity of the attribution", (value) => choose({ opacity: parseInt(value) })),
    brightness: one("brightness", (pick) => pills("Brightness", Object.keys(BRIGHTNESS), pick)),
  };
  const [ownPicture, ownNetwork] = [fileButton("Your picture …", "image/*", receive), fileButton("Your ONNX file …", ".onnx", receive)];
  made.picture.el.append(...ownPicture);
  made.network.el.append(...ownNetwork);
  const group = (...own) => h("div", { class: "srlab-controls" }, ...own.map((name) => made[name].el));
  return {
    el: h("div", {}, group("picture", "network", "beside"), h("details", {}, h("summary", {}, "Target, path and drawing"),
      group("target", "cut", "sigma", "opacity", "brightness"))),
    addPicture: () => { if (!pictures.includes(YOURS)) { pictures.push(YOURS); made.picture.add(YOURS, ownPicture[0]); } },
    addNetwork(name) { labels.push(name); made.network.add(name, ownNetwork[0]); },
    show() {
      for (const name of ["picture", "network", "target", "brightness"]) made[name].show(model.get(name));
      made.beside.show([NONE, ...labels.filter((name) => name !== model.get("network"))], model.get("beside"));
      made.cut.show(Object.keys(CUTS), model.get("cut"));
      made.sigma.show(SIGMAS, model.get("sigma"));
      made.opacity.show(PERCENT, PERCENT[Math.round(model.get("opacity") / 5)]);
    },
  };
}

async function render({ model, el }) {
  const { pictures, networks, first } = model.get("meta"), labels = networks.map(({ name }) => name);
  const own = { networks: new Map(), version: 0 }; // the reader's: bytes by name, and how often the picture changed
  const ledger = makeLedger(model, () => own.version), computer = makeComputer(ledger, networks, own.networks);
  for (const { name, lr } of pictures) ledger.lrs.set(name, await pixels(lr));
  await recall(ledger, first);
  const choose = (values) => {
    trouble.say();
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };

  // ---- parts
  const root = h("div", { class: "srlab-explorer srlab-lam srlab-attribution", "data-lm-suppress-shortcuts": true });
  const controls = makeControls(model, pictures.map(({ name }) => name), labels, choose, receive);
  const cutter = makeCutter(() => use(cutter.image));
  const hint = h("p", { class: "srlab-hint", id: uid() });
  const columns = [makeColumn(hint), makeColumn(hint)], difference = makeDifference();
  const status = statusLine(), trouble = statusLine();
  const button = h("button", { type: "button", onclick: () => (running ? computer.dismiss() : refresh()) });
  const link = permalink(model, root, {
    picture: oneOf(pictures.map(({ name }) => name)), network: oneOf(labels), beside: oneOf([NONE, ...labels]),
    top: wholeUpTo(9999), left: wholeUpTo(9999), target: oneOf(Object.keys(TARGETS)), cut: oneOf(Object.keys(CUTS)), sigma: oneOf(SIGMAS),
    opacity: wholeUpTo(100), brightness: oneOf(Object.keys(BRIGHTNESS)),
  }, () => (model.get("picture") === YOURS || ledger.networks().some((name) => own.networks.has(name))
    ? "A link holds no file of yours: those stay in this browser." : ""));

  // ---- files of the reader's
  async function receive(file) {
    trouble.say();
    if (/\.onnx$/i.test(file.name)) {
      const stem = file.name.replace(/\.onnx$/i, ""), count = own.networks.size;
      const name = `${stem} (yours${own.networks.has(`${stem} (yours)`) ? `, ${count + 1}` : ""})`;
      own.networks.set(name, new Uint8Array(await file.arrayBuffer()));
      controls.addNetwork(name);
      return choose({ network: name });
    }
    try {
      cutter.open(await createImageBitmap(file)); // upright, as its EXIF data says
    } catch {
      return trouble.fail(`${file.name} is neither a picture that this browser reads nor an ONNX file.`);
    }
    cutter.el.hidden = false;
    use(cutter.image);
  }
  function use(image) {
    try {
      const lr = image();
      own.version++;
      trouble.say();
      model.set("picture", YOURS);
      ledger.lrs.set(ledger.lrKey(), lr);
      controls.addPicture();
      refresh();
    } catch (error) {
      trouble.fail(error.message);
    }
  }

  // ---- drawing what is known
  const shaded = (shown) => Array.from(shown, (value) => BRIGHTNESS[model.get("brightness")](Math.sqrt(value)));
  const nameOf = (network) => `${network} on ${model.get("picture") === YOURS ? "your picture" : model.get("picture")}`;
  function draw() {
    const names = ledger.networks(), found = names.map(ledger.map), { lr } = ledger;
    controls.show();
    cutter.el.hidden = model.get("picture") !== YOURS;
    columns.forEach((column, i) => {
      column.el.hidden = !names[i];
      if (names[i]) column.show({ name: names[i], lr, sr: ledger.sr(names[i]), window: ledger.window(names[i]), found: found[i],
        values: found[i] && shaded(found[i].shown), opacity: model.get("opacity") / 100, picture: model.get("picture") });
    });
    difference.el.hidden = found.length < 2 || found.includes(undefined);
    if (!difference.el.hidden) difference.show(...found.map(({ shown }) => shown), lr.height, lr.width, names);
    const size = networks.find(({ name }) => name === model.get("network"))?.bytes;
    hint.textContent = "Click an SR picture, or focus it and use the arrow keys, with Shift for a whole target. " +
      (size ? `${model.get("network")} is ${Math.round(size / 1000)} kB of this book, loaded when it is first asked for.` : "");
  }

  // ---- computing what is not
  let turn = 0, running = false, good = model.get("network");
  function work(now) {
    running = now;
    button.textContent = now ? "Stop" : "Compute";
    button.hidden = !now && ledger.networks().every(ledger.map);
  }
  async function refresh() {
    const mine = ++turn, names = ledger.networks();
    let [at] = names;
    draw();
    work(!names.every(ledger.map));
    try {
      if (running) status.busy(`Computing ${nameOf(names.join(" and "))} …`);
      for (at of names) if (!ledger.map(at)) { await computer.enlarge(at); if (mine === turn) draw(); else return; }
      good = names[0];
      for (at of names) {
        const column = columns[names.indexOf(at)];
        await computer.attribute(at, (map, share) => {
          column.grow(share);
          column.scene.draw(ledger.lr, shaded(magnitude(map)), model.get("opacity") / 100);
        });
        if (mine === turn) draw(); else return;
      }
      const { top, left } = ledger.window(names[0]);
      status.say(`${nameOf(names.map((name) => `${name} (DI ${indexOf(ledger.map(name))})`).join(" and "))}, ` +
        `target at row ${top}, column ${left}.`);
    } catch (error) {
      if (mine !== turn) return;
      if (error instanceof Stopped) status.say("Stopped.");
      else retreat(at, names, error);
    }
    work(false);
  }
  /** Say what failed, and go back to what worked. */
  function retreat(network, names, error) {
    status.say();
    trouble.fail(`${network}: ${error.message}`);
    if (network === names[1]) model.set("beside", NONE);
    else if (good !== network) model.set("network", good);
  }

  // ---- picking a target
  columns.forEach((column, i) => {
    const { pick } = column.scene, network = () => ledger.networks()[i];
    const go = (top, left) => { // told in pixels of the first network's SR picture
      const ratio = ledger.ratio(network()), { lr } = ledger, scale = ledger.sr(network())?.scale ?? 4;
      const within = (at, side) => Math.max(0, Math.min(Math.floor((scale * side) / ratio) - WINDOW - 1, Math.round(at / ratio)));
      choose({ top: within(top, lr.height), left: within(left, lr.width) });
    };
    onPick(pick, (row, column_) => {
      const { size } = ledger.window(network()), { height, width } = column.scene.sr;
      go(row * height - size / 2, column_ * width - size / 2);
    });
    pick.addEventListener("keydown", (event) => {
      const way = ARROWS[event.key], { top, left, size } = ledger.window(network());
      if (!way) return;
      event.preventDefault();
      const far = event.shiftKey ? size : ledger.sr(network())?.scale ?? 4;
      go(top + far * way[0], left + far * way[1]);
    });
  });

  // ---- files dropped or pasted
  const over = (event) => event.preventDefault();
  const drop = (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) receive(event.dataTransfer.files[0]); };
  const paste = (event) => { if (event.clipboardData.files[0]) receive(event.clipboardData.files[0]); };
  root.addEventListener("dragover", over);
  root.addEventListener("drop", drop);
  document.addEventListener("paste", paste);

  root.append(controls.el, cutter.el, h("p", { class: "srlab-hint" }, PRIVATE), trouble.el,
    h("div", { class: "told" }, status.el, button), hint,
    ...columns.map((column) => column.el), difference.el, link.el);
  el.append(root);
  const unfollow = follow(model, ["picture", "network", "beside", "top", "left", "target", "cut", "sigma"], refresh);
  const redraw = follow(model, ["opacity", "brightness"], draw);
  refresh();
  return () => {
    computer.dismiss();
    document.removeEventListener("paste", paste);
    link.close();
    unfollow();
    redraw();
  };
}

/** What the book has computed beforehand, {network: its map}, so that maps are seen before anything is loaded. */
async function recall(ledger, first) {
  for (const [network, { sr, roots, ...found }] of Object.entries(first)) {
    const image = await pixels(sr), { height, width } = image;
    ledger.srs.set(ledger.srKey(network), { scale: height / ledger.lr.height, height, width, image });
    ledger.maps.set(ledger.mapKey(network), { ...found, shown: Float64Array.from(fromBase64(roots), (root) => (root / 255) ** 2) });
  }
}

export default { render };
