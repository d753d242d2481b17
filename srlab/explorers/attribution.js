// LAM in the page: any picture under any network that is an ONNX file, computed by the reader's browser.

const PRIVATE = "Nothing is uploaded: a picture or network of yours is read by this page and stays in this browser. " +
  "Files may also be dropped here, a picture pasted.";

/** Let a target be picked on a column's SR picture, by pointer and by keyboard. */
function pickTargets({ scene }, networkOf, ledger, choose) {
  const scaleOf = (network) => ledger.sr(network)?.scale ?? 4;
  function go(top, left) { // in pixels of this network's SR picture; targets are told in those of the first
    const network = networkOf(), ratio = ledger.ratio(network), { lr } = ledger;
    const within = (at, side) =>
      Math.max(0, Math.min(Math.floor((scaleOf(network) * side) / ratio) - WINDOW - 1, Math.round(at / ratio)));
    choose({ top: within(top, lr.height), left: within(left, lr.width) });
  }
  onPick(scene.pick, (row, column) => {
    const { size } = ledger.window(networkOf());
    go(row * scene.sr.height - size / 2, column * scene.sr.width - size / 2);
  });
  scene.pick.addEventListener("keydown", (event) => {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    const { top, left, size } = ledger.window(networkOf()), far = event.shiftKey ? size : scaleOf(networkOf());
    go(top + far * way[0], left + far * way[1]);
  });
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

  columns.forEach((column, i) => pickTargets(column, () => ledger.networks()[i], ledger, choose));
  const closed = takeFiles(root, receive);
  root.append(controls.el, cutter.el, h("p", { class: "srlab-hint" }, PRIVATE), trouble.el,
    h("div", { class: "told" }, status.el, button), hint,
    ...columns.map((column) => column.el), difference.el, link.el);
  el.append(root);
  const unfollow = follow(model, ["picture", "network", "beside", "top", "left", "target", "cut", "sigma"], refresh);
  const redraw = follow(model, ["opacity", "brightness"], draw);
  refresh();
  return () => {
    computer.dismiss();
    closed();
    link.close();
    unfollow();
    redraw();
  };
}

export default { render };
