const VIEW = 640, EDGE = 24, RIDER = 64, GLIDE = 550; // SVG units, the last ms
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEVELS = [[20, "−"], [100, "+"], [500, "++"], [Infinity, "+++"]];

const rays = (n, outer, inner) => "M" + Array.from({ length: 2 * n }, (_, i) => {
  const r = i % 2 ? inner : outer, a = (Math.PI * i) / n;
  return `${(r * Math.sin(a)).toFixed(2)},${(-r * Math.cos(a)).toFixed(2)}`;
}).join("L") + "Z";
const SHAPES = { // Plotly's names, about 12 units wide
  circle: "M6,0A6,6 0 1 1 -6,0A6,6 0 1 1 6,0Z",
  square: "M-5.3,-5.3H5.3V5.3H-5.3Z",
  diamond: "M0,-7.4L7.4,0L0,7.4L-7.4,0Z",
  cross: "M-2.4,-7H2.4V-2.4H7V2.4H2.4V7H-2.4V2.4H-7V-2.4H-2.4Z",
  x: "M-6.8,-3.4L-3.4,-6.8L0,-3.4L3.4,-6.8L6.8,-3.4L3.4,0L6.8,3.4L3.4,6.8L0,3.4L-3.4,6.8L-6.8,3.4L-3.4,0Z",
  "triangle-up": "M0,-7.4L6.8,5H-6.8Z",
  "triangle-down": "M0,7.4L6.8,-5H-6.8Z",
  star: rays(5, 8, 3.4),
  hexagram: rays(6, 7.8, 4.4),
  bowtie: "M-7,-5.6V5.6L7,-5.6V5.6Z",
};
const DOT = "M2.1,0A2.1,2.1 0 1 1 -2.1,0A2.1,2.1 0 1 1 2.1,0Z";

/** A marker: shape tells the content, colour and filling (solid, hollow, dotted) the degradation. */
function marker(shape, colour, filling) {
  const outline = h("svg:path", { d: SHAPES[shape] ?? SHAPES.circle, class: "outline" });
  const parts = filling === 2 ? [outline, h("svg:path", { d: DOT, class: "dot" })] : [outline];
  return h("svg:g", { class: `marker filling-${filling}`, style: `--colour: ${colour}` }, ...parts);
}
const glyph = (...how) =>
  h("svg:svg", { viewBox: "-9 -9 18 18", class: "glyph", "aria-hidden": "true" }, marker(...how));

// 19.6 stays 19.6, below the level of 20
const format = (v) => (v < 10 ? v.toFixed(1) : Number(v.toFixed(v < 100 ? 1 : 0)).toLocaleString("en"));
const level = (v) => LEVELS.find(([limit]) => v < limit)[1];

/** (N, 2) places in SVG units from N pairs of little-endian uint16 at `start`. */
function unpack(data, count, start = 0) {
  const view = new DataView(data.buffer, data.byteOffset + start, 4 * count);
  return Float32Array.from({ length: 2 * count }, (_, i) =>
    EDGE + ((VIEW - 2 * EDGE) * view.getUint16(2 * i, true)) / 65535);
}

function render({ model, el }) {
  const meta = model.get("meta"), { axes, sprite, routes } = meta, count = meta.patch.length;
  const AXES = meta.controls.map(({ axis }) => axis);
  const inputs = meta.options.inputs ?? {}, numbers = Object.keys(inputs);
  const turn = (list) => (k) => list[k % list.length];
  const colourOf = turn(meta.colours), shapeOf = turn(meta.symbols), fillingOf = turn(meta.fillings);
  const defaults = numbers.map((name) => model.get(name)).join();

  // ---- states: the precomputed ones, and what a kernel adds
  const states = new Map();
  const keyOf = (setting, options = defaults) => setting.join("\u0000") + "\u0000" + options;
  const packed = bytesOf(model.get("places"));
  meta.states.forEach((indices, row) => states.set(
    keyOf(indices.map((index, a) => axes[AXES[a]][index])),
    { places: unpack(packed, count, 4 * count * row), measures: meta.measures[row] },
  ));
  const setting = () => AXES.map((name) => model.get(name));
  const without = meta.options.without; // the state that has no such numbers
  const plain = () => !!without && model.get(without.axis) === without.value;
  const options = () => (plain() ? defaults : numbers.map((name) => model.get(name)).join());
  const current = () => states.get(keyOf(setting(), options()));
  const precomputed = (axis) => {
    const used = new Set(meta.states.map((indices) => indices[AXES.indexOf(axis)]));
    return axes[axis].filter((_, index) => used.has(index));
  };
  const choose = (name, value) => { model.set(name, value); model.save_changes(); };

  // ---- controls
  const of = (form) => meta.controls.filter((control) => control.form === form);
  const played = meta.controls.find(({ play }) => play);
  const play = h("button", { type: "button", class: "play", onclick: () => (timer ? stop() : start()) });
  const controls = {};
  for (const { axis, title, form } of [...of("pills"), ...of("slider")])
    controls[axis] = form === "pills" ? pills(title, axes[axis], (v) => choose(axis, v))
      : axis === played?.axis ? slider(title, (v) => { stop(); choose(axis, v); }, play)
        : slider(title, (v) => choose(axis, v));

  let timer = 0;
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶ Play";
    play.setAttribute("aria-label", `Play ${played?.play}`);
  }
  function start() {
    const { axis } = played, steps = axes[axis], at = () => steps.indexOf(model.get(axis));
    choose(axis, steps[at() === steps.length - 1 ? 0 : at() + 1]);
    timer = setInterval(() => {
      if (at() < steps.length - 1) choose(axis, steps[at() + 1]);
      if (at() === steps.length - 1) stop();
    }, 1100);
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-label", `Pause ${played.play}`);
  }
  play.hidden = !played || axes[played.axis].length < 2;

  // ---- what only a kernel can do
  const number = ([name, { title, min, max }]) => {
    const commit = (event) => event.target.reportValidity() && choose(name, event.target.valueAsNumber);
    return h("label", {}, title,
      h("input", { type: "number", name, value: model.get(name), required: true, min, max,
        onchange: commit, onkeydown: (event) => event.key === "Enter" && commit(event) })); // JupyterLab eats Enter's change
  };
  const live = h("fieldset", { class: "live", hidden: !numbers.length },
    h("legend", {}, "Compute anew"), ...Object.entries(inputs).map(number));
  const liveHint = h("p", { class: "srlab-hint" });

  // ---- the plot
  const links = h("svg:g", { class: "links" }), ring = h("svg:circle", { class: "ring", r: 13 });
  const rider = h("svg:g", { class: "rider" }); // the patch itself, where routes lead it about
  const points = Array.from({ length: count }, (_, i) => {
    const kind = meta.degradation[i];
    return marker(shapeOf(meta.content[i]), colourOf(kind), fillingOf(kind));
  });
  const hint = h("p", { class: "srlab-hint", id: uid() },
    (routes.length ? "Choose a patch: point at a marker, tap it, or move the patch slider. Lines lead it along. "
      : "Point at a marker or tap it; dashed lines lead to the same patch under the other degradations. ") +
    "Keys in the focused plot: arrows move, Page Up and Page Down follow the lines, " +
    "Enter fades the other degradations, Esc clears.");
  const plot = h("svg:svg", { viewBox: `0 0 ${VIEW} ${VIEW}`, class: "plot", tabindex: 0,
    role: "application", "aria-roledescription": "scatter plot", "aria-describedby": hint.id },
    links, ...points, ring, rider);
  const spoken = h("p", { class: "srlab-hidden", "aria-live": "polite" });

  // ---- beside it: measure, patch, table
  const score = h("div", { class: "score" });
  const patch = h("div", { class: "patch" });
  const table = h("table", { class: "index" });
  const status = statusLine();

  // ---- legend
  let faded = null; // {kind, index}: the class that stays bright
  const entry = (kind, name, index) => h("button", { type: "button", "aria-pressed": "false",
    "data-kind": kind, "data-index": index, onclick: () => select(kind, index) },
    kind === "degradation" ? glyph("circle", colourOf(index), fillingOf(index))
      : glyph(shapeOf(index), "currentColor", 0), name);
  const legend = h("div", { class: "legend" }, ...[["degradation", "Degradation: colour and filling"],
    ["content", "Content: shape"]].map(([kind, title]) =>
    h("fieldset", {}, h("legend", {}, title), ...meta[kind + "s"].map((name, i) => entry(kind, name, i)))));

  function select(kind, index) {
    const same = faded && faded.kind === kind && faded.index === index;
    faded = kind && !same ? { kind, index } : null;
    for (const button of legend.querySelectorAll("button"))
      button.setAttribute("aria-pressed",
        String(faded?.kind === button.dataset.kind && faded.index === +button.dataset.index));
    points.forEach((point, i) => point.classList.toggle("faded", !!faded && meta[faded.kind][i] !== faded.index));
  }

  // ---- places on screen, and the way between two states
  let shown = null, target = null, frame = 0;
  function put(places) {
    shown = places;
    points.forEach((point, i) => point.setAttribute("transform", `translate(${places[2 * i]} ${places[2 * i + 1]})`));
    mark();
  }
  function glide(to) {
    if (to === target) return;
    target = to;
    cancelAnimationFrame(frame);
    if (!shown || calm()) return put(to);
    const from = shown, begin = performance.now();
    const tick = (now) => {
      const t = Math.min(1, Math.max(0, (now - begin) / GLIDE)), s = t * t * (3 - 2 * t);
      put(t < 1 ? from.map((value, i) => value + s * (to[i] - value)) : to);
      if (t < 1) frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
  }

  // ---- the point in focus
  let focus = -1, pinned = false;
  const kin = (i) => points.map((_, k) => k).filter((k) => meta.patch[k] === meta.patch[i]);
  const nameOf = (i) => `${meta.degradations[meta.degradation[i]]}, ${meta.contents[meta.content[i]]}`;
  const at = (i) => [shown[2 * i], shown[2 * i + 1]];
  function mark() {
    ring.toggleAttribute("hidden", focus < 0);
    rider.toggleAttribute("hidden", focus < 0 || !routes.length);
    links.replaceChildren();
    if (focus < 0) return;
    const [x, y] = at(focus);
    for (const el of [ring, rider]) el.style.transform = `translate(${x}px, ${y}px)`;
    if (routes.length) links.append(...ways());
    else for (const [x2, y2] of kin(focus).map(at))
      links.append(h("svg:line", { x1: x, y1: y, x2, y2 }));
  }
  function tile(i, side) {
    const zoom = side / sprite.tile;
    return h("div", { class: "tile", role: "img", "aria-label": nameOf(i), style:
      `width:${side}px;height:${side}px;background-image:url(${sprite.src});` +
      `background-size:${sprite.cols * side}px auto;background-position:` +
      `${-(i % sprite.cols) * sprite.tile * zoom}px ${-Math.floor(i / sprite.cols) * sprite.tile * zoom}px` });
  }
  function look(i, { pin = false, speak = false, travel = false } = {}) {
    if (i === focus && pin === pinned) return;
    pinned = pin;
    if (i !== focus) {
      points[focus]?.classList.remove("focus");
      points[i]?.classList.add("focus");
      focus = i;
      plot.classList.toggle("travels", travel);
      mark();
      showPatch();
      showRoutes();
    }
    choose("point", pin ? i : -1);
    if (speak && i >= 0) spoken.textContent = `${nameOf(i)}, patch ${meta.patch[i] + 1}`;
  }
  function showPatch() {
    if (focus < 0) {
      patch.replaceChildren(h("p", { class: "srlab-title" }, "Patch"),
        h("p", { class: "srlab-hint" }, "Point at a marker to see the patch it stands for."));
      return;
    }
    const kind = meta.degradation[focus];
    const go = (i) => look(i, { pin: true, speak: true, travel: routes.length > 0 });
    const button = (i, side, ...words) => h("button", { type: "button", title: `Go to ${nameOf(i)}`,
      "aria-current": String(i === focus), onclick: () => go(i) }, tile(i, side), ...words);
    patch.replaceChildren(
      h("p", { class: "srlab-title" }, `Patch ${meta.patch[focus] + 1}, cut from ${meta.contents[meta.content[focus]]}`),
      h("div", { class: "views" },
        h("div", {}, tile(focus, 144), h("div", { class: "name" },
          glyph(shapeOf(meta.content[focus]), colourOf(kind), fillingOf(kind)), meta.degradations[kind])),
        h("div", { class: "kin" }, ...(routes.length ? [] : kin(focus)).filter((i) => i !== focus).map((i) =>
          button(i, 56, h("span", {}, meta.degradations[meta.degradation[i]])))),
      ),
      ...routes.map(({ title, stops }) => h("div", { class: "strip", role: "group", "aria-label": title },
        ...stops.map(([, kind]) => button(pointOf(meta.patch[focus], kind), 30)))));
  }

  // ---- routes: sliders that lead one patch from degradation to degradation
  const patches = [...new Set(meta.patch)];
  const pointOf = (patch, kind) =>
    points.findIndex((_, i) => meta.patch[i] === patch && meta.degradation[i] === kind);
  const contentOf = (patch) => meta.contents[meta.content[meta.patch.indexOf(patch)]];
  const patchNames = patches.map((patch) => `${patch + 1}, ${contentOf(patch)}`);
  let led = patches[0], whereabouts = routes[0]?.stops[0][1]; // the patch the sliders move, and where it is
  const lead = (patch, kind) => look(pointOf(patch, kind), { pin: true, speak: true, travel: true });
  const leaders = routes.map(({ title, stops }) => {
    const words = stops.map(([word]) => word);
    return { stops, words, ...slider(title, (word) => lead(led, stops[words.indexOf(word)][1])) };
  });
  const chooser = slider("Patch", (name) => lead(patches[patchNames.indexOf(name)], whereabouts));
  const guide = h("div", { class: "srlab-controls", role: "group", "aria-label": "Move one patch",
    hidden: !routes.length }, chooser.el, ...leaders.map(({ el }) => el));

  const picture = h("svg:svg", { width: RIDER, height: RIDER }, h("svg:image", { href: routes.length ? sprite.src : null,
    width: sprite.cols * sprite.tile, height: Math.ceil(count / sprite.cols) * sprite.tile }));
  const outline = h("svg:rect", { width: RIDER, height: RIDER });
  rider.append(picture, outline);

  function showRoutes() {
    if (!routes.length) return;
    if (focus >= 0) [led, whereabouts] = [meta.patch[focus], meta.degradation[focus]];
    chooser.show(patchNames, patchNames[patches.indexOf(led)]);
    for (const { stops, words, show } of leaders)
      show(words, words[Math.max(0, stops.findIndex(([, kind]) => kind === whereabouts))]);
    if (focus < 0) return;
    const side = sprite.tile, [x, y] = at(focus);
    picture.setAttribute("viewBox", `${(focus % sprite.cols) * side} ${Math.floor(focus / sprite.cols) * side} ${side} ${side}`);
    for (const el of [picture, outline]) { // beside the ring, and inside the plot
      el.setAttribute("x", Math.min(Math.max(x, RIDER / 2 + 2), VIEW - RIDER / 2 - 2) - x - RIDER / 2);
      el.setAttribute("y", y > RIDER + EDGE ? -RIDER - 18 : 18);
    }
  }
  const ways = () => routes.map(({ stops }) => h("svg:polyline", { points:
    stops.map(([, kind]) => at(pointOf(meta.patch[focus], kind)).join()).join(" ") }));

  function nearest(event) {
    const box = plot.getBoundingClientRect(), scale = VIEW / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = -1, least = (22 * Math.max(1, scale)) ** 2;
    for (let i = 0; i < count && shown; i++) {
      const d = (shown[2 * i] - x) ** 2 + (shown[2 * i + 1] - y) ** 2;
      if (d < least && !points[i].classList.contains("faded")) [best, least] = [i, d];
    }
    return best;
  }
  plot.addEventListener("pointermove", (event) => {
    const i = nearest(event);
    if (!pinned && i >= 0) look(i);
    plot.style.cursor = i >= 0 ? "pointer" : "";
  });
  plot.addEventListener("click", (event) => {
    const i = nearest(event);
    look(i, { pin: i >= 0, speak: true });
  });

  /** The next point in a direction: the nearest within 45°, else the nearest at all on that side. */
  function beyond([dx, dy]) {
    let best = focus, least = Infinity;
    for (let i = 0; i < count; i++) {
      if (i === focus || points[i].classList.contains("faded")) continue;
      const x = target[2 * i] - target[2 * focus], y = target[2 * i + 1] - target[2 * focus + 1];
      const along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
      const cost = along <= 0 ? Infinity : Math.hypot(along, aside) + (aside > along ? VIEW : 0);
      if (cost < least) [best, least] = [i, cost];
    }
    return best;
  }
  plot.addEventListener("keydown", (event) => {
    const go = (i) => look(i, { pin: true, speak: true });
    const bright = points.map((_, i) => i).filter((i) => !points[i].classList.contains("faded"));
    if (event.key in ARROWS) go(focus < 0 ? bright[0] : beyond(ARROWS[event.key]));
    else if (event.key === "Home") go(bright[0]);
    else if (event.key === "End") go(bright.at(-1));
    else if ((event.key === "PageDown" || event.key === "PageUp") && focus >= 0) {
      const own = kin(focus), turn = event.key === "PageDown" ? 1 : own.length - 1;
      go(own[(own.indexOf(focus) + turn) % own.length]);
    } else if (event.key === "Enter" && focus >= 0) select("degradation", meta.degradation[focus]);
    else return;
    event.preventDefault();
  });

  // ---- measure and table
  function gauge([embedded, components]) {
    const x = (v) => 6 + (288 * Math.max(0, Math.min(4, Math.log10(v) + 1))) / 4;
    const bar = h("svg:svg", { viewBox: "0 0 300 42", class: "gauge", "aria-hidden": "true" });
    let left = 6;
    for (const [limit, name] of LEVELS) {
      const right = Math.min(294, x(limit));
      bar.append(h("svg:rect", { x: left, y: 14, width: right - left - 2, height: 8, rx: 2 }));
      const text = h("svg:text", { x: (left + right) / 2, y: 36 });
      text.append(name);
      bar.append(text);
      left = right;
    }
    bar.append(h("svg:path", { class: "components", d: "M0,-7L5,0L0,7L-5,0Z", transform: `translate(${x(components)} 18)` }),
      h("svg:circle", { class: "embedded", cx: x(embedded), cy: 18, r: 6.5 }));
    return bar;
  }
  function showScore(measures) {
    const [embedded, components, sign] = measures ?? [];
    score.replaceChildren(h("p", { class: "srlab-title" }, "How far degradations separate (CHI)"), ...(measures ? [
      h("p", { class: "numbers" }, h("span", { class: "embedded" }, "● "), h("strong", {}, format(embedded)),
        ` in 2-D, level ${sign}`, h("br"), h("span", { class: "components" }, "◆ "),
        h("strong", {}, format(components)), " on the principal components"),
      gauge(measures),
    ] : [h("p", { class: "srlab-hint" }, "–")]));
  }
  function showTable() {
    if (!meta.table) return;
    const [down, across] = meta.table, opt = options();
    const titleOf = (axis) => meta.controls.find((control) => control.axis === axis).title.toLowerCase();
    const shownOf = (axis) => axes[axis].filter((v) => precomputed(axis).includes(v) || v === model.get(axis));
    const cell = (row, column) => {
      const place = { [down]: row, [across]: column };
      const state = states.get(keyOf(AXES.map((axis) => place[axis] ?? model.get(axis)), opt));
      if (!state) return h("td", {});
      const [value] = state.measures, depth = Math.max(0, Math.min(1, Math.log10(Math.max(value, 1)) / 3));
      return h("td", {}, h("button", { type: "button", tabindex: -1,
        style: `--depth: ${(62 * depth).toFixed(0)}%`,
        "aria-current": row === model.get(down) && column === model.get(across) ? "true" : "false",
        "aria-label": `${titleOf(down)} ${row}, ${titleOf(across)} ${column}: CHI ${format(value)}, level ${level(value)}`,
        onclick: () => { stop(); model.set(down, row); model.set(across, column); model.save_changes(); },
      }, format(value)));
    };
    table.replaceChildren(
      h("caption", {}, `CHI by ${titleOf(down)} (down) and ${titleOf(across)}`),
      h("thead", {}, h("tr", {}, h("td", {}), ...shownOf(across).map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...shownOf(down).map((row) =>
        h("tr", {}, h("th", { scope: "row" }, row), ...shownOf(across).map((column) => cell(row, column))))),
    );
  }

  // ---- everything that follows from the choice
  function hintOf(alive) {
    const more = meta.controls.flatMap(({ axis, title }) => {
      const n = axes[axis].length - precomputed(axis).length;
      return n ? [`${n} more ${title.toLowerCase()}${n > 1 ? "s" : ""}`] : [];
    });
    if (alive && plain()) return `${without.value} has no ${numbers.join(" and no ")}.`;
    if (!numbers.length && !more.length) return "";
    if (alive) return "Computed in your kernel, in seconds.";
    const notebook = "a running notebook (JupyterLab, Colab, VS Code)";
    return numbers.length ? `Needs ${notebook}${more.length ? `; so do ${more.join(", ")}` : ""}.`
      : `With ${notebook}: ${more.join(", ")}.`;
  }
  function refresh() {
    const alive = kernel.computes, state = current();
    for (const { axis } of of("pills")) controls[axis].show(model.get(axis));
    for (const { axis } of of("slider")) {
      const known = alive ? axes[axis] : precomputed(axis);
      controls[axis].show(known.includes(model.get(axis)) ? known : axes[axis], model.get(axis));
    }
    live.disabled = !alive || plain();
    for (const input of live.querySelectorAll("input")) input.value = model.get(input.name);
    liveHint.textContent = hintOf(alive);
    const words = meta.controls.map(({ axis, title }) => // numbers need to be told of what
      /^\d/.test(model.get(axis)) ? `${title.toLowerCase()} ${model.get(axis)}` : model.get(axis)).join(" · ");
    plot.setAttribute("aria-label", `Embedding of ${count} patches: ${words}`);
    plot.classList.toggle("stale", !state);
    showScore(state?.measures);
    showTable();
    if (state) {
      glide(state.places);
      status.say(`${words}: ${count} points, ${meta.degradations.length} degradations of the same patches.`);
    } else if (alive) {
      const request = Object.fromEntries([...AXES, ...numbers].map((name) => [name, model.get(name)]));
      ask({ key: keyOf(setting(), options()), words, request });
    } else {
      status.fail(`${words} was not precomputed; open the notebook to compute it.`);
    }
  }

  const kernel = connect(model, () => refresh());
  const ask = newestOnly(kernel, {
    started: ({ words }) => status.busy(`Computing ${words} …`),
    done: ({ key }, { content, buffers }) => {
      states.set(key, { places: unpack(bytesOf(buffers[0]), count), measures: content.measures });
      if (current()) refresh();
    },
    failed: (error) => status.fail(error.message),
  });

  const root = h("div", { class: "srlab-explorer srlab-embedding", "data-lm-suppress-shortcuts": true, onkeydown: (event) => {
    if (event.key !== "Escape") return;
    stop();
    select(null);
    look(-1);
  } });
  const link = permalink(model, root, { point: wholeUpTo(count - 1),
    ...Object.fromEntries(AXES.map((axis) => [axis, oneOf(axes[axis])])) });
  root.append(
    h("div", { class: "srlab-controls" }, ...Object.values(controls).map((control) => control.el)),
    guide,
    h("div", { class: "stage" },
      h("div", { class: "main" }, plot, status.el, legend, hint),
      h("div", { class: "side" }, score, patch, h("div", { class: "scroll", hidden: !meta.table }, table), h("div", {}, live, liveHint))),
    link.el, spoken);
  el.append(root);

  const showPoint = () => { if (model.get("point") >= 0) look(model.get("point"), { pin: true }); };
  const unfollow = [follow(model, [...AXES, ...numbers], refresh), follow(model, ["point"], showPoint)];
  stop();
  showPatch();
  refresh();
  if (routes.length && model.get("point") < 0) look(pointOf(led, whereabouts), { pin: true });
  showPoint();
  return () => {
    stop();
    cancelAnimationFrame(frame);
    kernel.close();
    link.close();
    for (const end of unfollow) end();
  };
}

export default { render };
