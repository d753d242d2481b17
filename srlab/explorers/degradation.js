// Deep degradation representations in the page: a picture degraded by sliders, and where its features fall.

const PATCH = 32; // LR pixels of the side of what networks are given
const NUMBERS = (least, most, step) => Array.from({ length: (most - least) / step + 1 }, (_, i) => `${least + i * step}`);
const SLIDERS = {
  blur: ["Blur, σ in LR pixels", NUMBERS(0, 5, 0.25)],
  noise: ["Noise, σ in 1/255", NUMBERS(0, 50, 2)],
  jpeg: ["JPEG quality", ["no JPEG", ...NUMBERS(1, 19, 1).toReversed().map((fifth) => `${5 * fifth}`)]],
};
const LONGEST = 80; // places of a way

/** Looks at patches: look(name, patch) → {sr, place}, a network and its plane loaded when first needed. */
function makeLooker(networks) {
  const of = (name) => networks.find((one) => one.name === name), axes = new Map();
  const crew = makeCrew(() => asset("engine"), async (name) => fromBase64(await asset(of(name).file)), 1);
  return {
    knows: (name) => axes.has(name),
    dismiss: crew.dismiss,
    async look(name, patch) {
      if (!axes.has(name)) axes.set(name, new Int8Array(fromBase64(await asset(of(name).plane)).buffer));
      const { sr, scale, features } = await crew.enlarge(name, planar(patch));
      return { sr: imageOf(sr, scale * PATCH, scale * PATCH), place: placeOf(features, axes.get(name), of(name)) };
    },
  };
}

/** The degraded picture, on which a patch is chosen, and the patch: {els, show(image, top, left), patch()}. */
function makeInput(choose, hint) {
  const whole = h("canvas"), mark = h("i", { class: "cut" });
  const own = h("canvas", { role: "img", "aria-label": "The patch, degraded", height: PATCH, width: PATCH });
  const view = h("div", { class: "view", tabindex: 0, role: "application", "aria-describedby": hint.id,
    "aria-roledescription": "picture with a patch" }, whole, mark);
  let at = [0, 0];
  const go = (top, left) => choose({ top: Math.max(0, Math.round(top)), left: Math.max(0, Math.round(left)) });
  onPick(view, (row, column) => go(row * whole.height - PATCH / 2, column * whole.width - PATCH / 2));
  view.addEventListener("keydown", (event) => {
    const way = ARROWS[event.key], far = event.shiftKey ? PATCH / 2 : 2;
    if (!way) return;
    event.preventDefault();
    go(at[0] + far * way[0], at[1] + far * way[1]);
  });
  const patch = () => whole.getContext("2d", { willReadFrequently: true }).getImageData(at[1], at[0], PATCH, PATCH);
  const panel = (title, ...views) => h("div", {}, h("p", { class: "srlab-title" }, title), ...views);
  return {
    els: [panel("Picture: pick a patch", view), panel("The patch, degraded", own)], patch,
    show(image, top, left) {
      const { height, width } = image, percent = (part, side) => `${(100 * part) / side}%`;
      at = [top, left];
      Object.assign(whole, { height, width });
      whole.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
      own.getContext("2d").putImageData(patch(), 0, 0);
      Object.assign(mark.style, { top: percent(top, height), height: percent(PATCH, height),
        left: percent(left, width), width: percent(PATCH, width) });
      view.setAttribute("aria-label", `The degraded picture; the patch begins at row ${top}, column ${left}`);
    },
  };
}

/** One network: its plane, what it makes of the patch, and both in words: {el, show(network, found, way) → words}. */
function makeColumn(kinds, colours) {
  const title = h("h4"), plane = makePlane(colours), words = h("p", { class: "words" });
  const sr = h("canvas", { role: "img" });
  return {
    el: h("section", {}, title, plane.el, words, sr),
    show({ name, index, points }, found, way) {
      const nearest = found && `nearest to the centre of “${kinds[nearestKind(points, kinds.length, found.place)]}”`;
      title.textContent = name;
      words.textContent = `Between the three clouds: ${index}. ${found ? `The patch lies ${nearest}.` : ""}`;
      plane.show(points, way, `${name}: ${points.length} patches on the plane. ${words.textContent}`);
      sr.setAttribute("aria-label", `The patch enlarged by ${name}`);
      if (found) {
        Object.assign(sr, { height: found.sr.height, width: found.sr.width });
        sr.getContext("2d").putImageData(found.sr, 0, 0);
      }
      return `${name}: ${nearest}`;
    },
  };
}

/** What a reader asks for, by the model's traits, and what was found: {networks, asked, found, way, remember, renew}. */
function makeMemory(model, pictures) {
  const found = new Map(), ways = new Map();
  let version = 0; // of the reader's picture
  const networks = () => [model.get("network"), model.get("beside")];
  return {
    networks,
    asked() {
      const image = pictures.get(model.get("picture")), within = (trait, side) => Math.min(model.get(trait), side - PATCH);
      const [top, left] = [within("top", image.height), within("left", image.width)];
      const [blur, noise, jpeg] = Object.keys(SLIDERS).map((name) => model.get(name));
      const from = [model.get("picture"), version, top, left].join();
      return { image, top, left, from, key: [from, blur, noise, jpeg].join(), names: networks(),
        settings: { blur: Number(blur), noise: Number(noise), quality: Number(jpeg) || 0 } };
    },
    found: (name) => found.get(name),
    way: (name) => ways.get(name)?.places ?? [],
    remember(name, { key, from }, { sr, place }) {
      const way = ways.get(name)?.from === from ? ways.get(name).places : []; // another patch begins anew
      found.set(name, { key, sr, place });
      ways.set(name, { from, places: [...way, place].slice(-LONGEST) });
    },
    renew(image) {
      pictures.set(YOURS, image);
      version++;
    },
  };
}

async function render({ model, el }) {
  const { pictures, networks, kinds, colours, first } = model.get("meta"), labels = networks.map(({ name }) => name);
  const lrs = new Map(), memory = makeMemory(model, lrs), looker = makeLooker(networks);
  for (const { name, lr } of pictures) lrs.set(name, await pixels(lr));
  const choose = (values) => {
    trouble.say();
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };

  // ---- finding what is asked for
  async function answer(question) {
    const { image, top, left, settings, key } = question;
    input.show(await degraded(image, settings), top, left);
    const patch = input.patch();
    for (const name of question.names) if (memory.found(name)?.key !== key) {
      if (!looker.knows(name)) status.busy(`Loading ${name} …`);
      memory.remember(name, question, await looker.look(name, patch));
    }
    return question;
  }
  const ask = newestOnly({ ask: answer }, {
    started() {},
    done(_, { names: shown }) {
      const told = draw();
      if (shown.join() === memory.networks().join()) status.say(`${sayings()}: ${told.join("; ")}.`);
    },
    failed(error) {
      status.say();
      trouble.fail(error.message);
    },
  });

  for (const [name, { sr, place }] of Object.entries(first)) // before an address asks for something else
    memory.remember(name, memory.asked(), { sr: await pixels(sr), place });

  // ---- parts
  const root = h("div", { class: "srlab-explorer srlab-degradation", "data-lm-suppress-shortcuts": true });
  const picture = pills("Picture", pictures.map(({ name }) => name), (name) => choose({ picture: name }));
  const ownPicture = fileButton("Your picture …", "image/*", receive);
  picture.el.append(...ownPicture);
  const menus = [["network", "First network"], ["beside", "Second network"]].map(([trait, title]) =>
    menu(title, (name) => choose({ [trait]: name })));
  const sliders = Object.entries(SLIDERS).map(([trait, [title]]) =>
    [trait, slider(title, (value) => choose({ [trait]: value }))]);
  const cutter = makeCutter(() => use(cutter.image), PATCH);
  const hint = h("p", { class: "srlab-hint", id: uid() },
    "Click the picture, or focus it and use the arrow keys, to take another patch. " +
    "Nothing is uploaded: a picture of yours, chosen, dropped here or pasted, stays in this browser.");
  const status = statusLine(), trouble = statusLine(), input = makeInput(choose, hint);
  const columns = [makeColumn(kinds, colours), makeColumn(kinds, colours)];
  const link = permalink(model, root, {
    picture: oneOf([...lrs.keys()]), network: oneOf(labels), beside: oneOf(labels), top: wholeUpTo(64), left: wholeUpTo(64),
    ...Object.fromEntries(Object.entries(SLIDERS).map(([trait, [, values]]) => [trait, oneOf(values)])),
  }, () => (model.get("picture") === YOURS ? "A link holds no file of yours: those stay in this browser." : ""));

  // ---- a picture of the reader's
  async function receive(file) {
    trouble.say();
    try {
      cutter.open(await createImageBitmap(file)); // upright, as its EXIF data says
    } catch {
      return trouble.fail(`${file.name} is not a picture that this browser reads.`);
    }
    cutter.el.hidden = false;
    use(cutter.image);
  }
  function use(image) {
    try {
      memory.renew(image());
    } catch (error) {
      return trouble.fail(error.message);
    }
    trouble.say();
    if (!picture.el.querySelector(`[value="${YOURS}"]`)) picture.add(YOURS, ownPicture[0]);
    model.set("picture", YOURS);
    refresh();
  }

  // ---- drawing
  const sayings = () => `${model.get("picture")}, blur ${model.get("blur")}, noise ${model.get("noise")}/255, ` +
    (model.get("jpeg") === SLIDERS.jpeg[1][0] ? "no JPEG" : `JPEG ${model.get("jpeg")}`);
  function draw() {
    return memory.networks().map((name, i) =>
      columns[i].show(networks[labels.indexOf(name)], memory.found(name), memory.way(name)));
  }
  function refresh() {
    const names = memory.networks();
    picture.show(model.get("picture"));
    menus.forEach((one, i) => one.show(labels.filter((name) => name !== names[1 - i]), names[i]));
    for (const [trait, one] of sliders) one.show(SLIDERS[trait][1], model.get(trait));
    cutter.el.hidden = model.get("picture") !== YOURS;
    ask({ request: memory.asked() });
  }

  const closed = takeFiles(root, receive);
  root.append(
    h("div", { class: "srlab-controls" }, picture.el, ...menus.map((one) => one.el)), cutter.el, trouble.el,
    h("div", { class: "input" }, ...input.els,
      h("div", { role: "group", "aria-label": "Degrade the picture" }, ...sliders.map(([, one]) => one.el))),
    status.el, planeKey(kinds, colours), h("div", { class: "pair" }, ...columns.map((column) => column.el)), hint, link.el);
  el.append(root);
  const unfollow = follow(model, ["picture", "network", "beside", "top", "left", ...Object.keys(SLIDERS)], refresh);
  draw();
  refresh();
  return () => {
    looker.dismiss();
    closed();
    link.close();
    unfollow();
  };
}

export default { render };
