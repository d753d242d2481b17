const WIDTH = 460, HEIGHT = 210, LEFT = 46, RIGHT = 12, TOP = 10, BOTTOM = 40; // of the chart, SVG units
const DASHES = ["", "9 4", "2 4", "12 4 2 4", "5 5", "1 3"];

function render({ model, el }) {
  const meta = model.get("meta"), { axes, chart } = meta, AXES = meta.controls.map(({ axis }) => axis);
  const choose = (name, value) => { model.set(name, value); model.save_changes(); };

  // ---- states: the precomputed ones, and what a kernel adds
  const states = new Map();
  const keyOf = (setting) => setting.join("\u0000");
  meta.states.forEach((indices, row) => states.set(
    keyOf(indices.map((index, a) => axes[AXES[a]][index])),
    { urls: meta.pictures[row].map((i) => meta.urls[i]), values: meta.values[row], places: meta.places[row] },
  ));
  const setting = (other = {}) => AXES.map((name) => other[name] ?? model.get(name));
  const stateOf = (other) => states.get(keyOf(setting(other)));
  const precomputed = Object.fromEntries(AXES.map((axis, a) => {
    const used = new Set(meta.states.map((indices) => indices[a]));
    return [axis, axes[axis].filter((_, index) => used.has(index))];
  }));

  // ---- controls and pictures
  const controls = Object.fromEntries(meta.controls.map(({ axis, title, form }) =>
    [axis, (form === "pills" ? (pick) => pills(title, axes[axis], pick) : (pick) => slider(title, pick))(
      (value) => choose(axis, value))]));
  const pictures = meta.titles.map((title) => ({ title, img: h("img", { alt: title }) }));
  const gallery = h("div", { class: "gallery" }, ...pictures.map(({ title, img }) =>
    h("figure", {}, h("p", { class: "srlab-title" }, title), img)));
  const numbers = h("dl", { class: "numbers" });
  const status = statusLine(), hint = h("p", { class: "srlab-hint" });
  const format = (value, unit) => `${Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)}${unit && "\u00a0" + unit}`;

  // ---- the chart: one line for each value of an axis
  const plot = h("svg:svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
  const key = h("ul", { class: "key", "aria-hidden": "true" });
  const caption = h("p", { class: "srlab-title" });
  const at = chart && meta.measures.findIndex(([name]) => name === chart.measure);
  const titleOf = (axis) => meta.controls.find((control) => control.axis === axis).title;

  function drawChart() {
    if (!chart) return;
    const lines = axes[chart.lines].map((line, number) => ({
      line, colour: meta.colours[number % meta.colours.length], dash: DASHES[number % DASHES.length],
      points: axes[chart.along].flatMap((value, index) => {
        const state = stateOf({ [chart.lines]: line, [chart.along]: value });
        return state ? [{ value, x: chart.places[index], y: state.values[at] }] : [];
      }),
    })).filter(({ points }) => points.length);
    const scale = (values, from, to, log) => {
      const to01 = log ? Math.log10 : Number, known = values.map(to01), low = Math.min(...known);
      const extent = Math.max(...known) - low || 1;
      return (value) => from + ((to - from) * (to01(value) - low)) / extent;
    };
    const all = lines.flatMap(({ points }) => points);
    const ys = all.map(({ y }) => y), room = (Math.max(...ys) - Math.min(...ys)) * 0.06 || 1;
    const x = scale(all.map((point) => point.x), LEFT + 8, WIDTH - RIGHT, chart.log);
    const range = [Math.min(...ys) - room, Math.max(...ys) + room];
    const y = scale(range, HEIGHT - BOTTOM, TOP);
    const label = (text, place, anchor) => { const made = h("svg:text", { ...place, "text-anchor": anchor }); made.append(text); return made; };
    const ticks = precomputed[chart.along].map((value) => ({ value, x: x(chart.places[axes[chart.along].indexOf(value)]) }));
    const roomy = ticks.reduce((kept, tick) => (kept.length && tick.x - kept.at(-1).x < 38 ? kept : [...kept, tick]), []);
    plot.replaceChildren(
      h("svg:path", { class: "axis", d: `M${LEFT},${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }),
      ...roomy.map((tick) => label(tick.value, { x: tick.x, y: HEIGHT - BOTTOM + 16 }, "middle")),
      label(titleOf(chart.along).toLowerCase(), { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4 }, "middle"),
      ...[Math.min(...ys), Math.max(...ys)].map((v) => label(format(v, ""), { x: LEFT - 5, y: y(v) + 4 }, "end")),
      ...lines.map(({ line, colour, dash, points }) => h("svg:path", {
        class: `line${line === model.get(chart.lines) ? " chosen" : ""}`, style: `--colour: ${colour}`,
        "stroke-dasharray": dash, d: "M" + points.map((p) => `${x(p.x).toFixed(1)},${y(p.y).toFixed(1)}`).join("L") })),
      ...lines.filter(({ line }) => line === model.get(chart.lines)).flatMap(({ colour, points }) =>
        points.filter(({ value }) => value === model.get(chart.along)).map((p) =>
          h("svg:circle", { class: "here", style: `--colour: ${colour}`, cx: x(p.x), cy: y(p.y), r: 6 }))));
    key.replaceChildren(...lines.map(({ line, colour, dash }) => h("li", { "data-chosen": String(line === model.get(chart.lines)) },
      h("svg:svg", { viewBox: "0 0 26 8" }, h("svg:path", { class: "line", style: `--colour: ${colour}`, "stroke-dasharray": dash, d: "M0,4H26" })), line)));
    const [name, unit] = meta.measures[at];
    caption.textContent = unit ? `${name}, ${unit}` : name;
  }

  const map = meta.cloud && cloudMap(meta.cloud, format);

  // ---- everything that follows from the choice
  const more = AXES.filter((axis) => precomputed[axis].length < axes[axis].length).map((axis) => titleOf(axis).toLowerCase());
  const words = () => meta.controls.map(({ axis, title }) =>
    (/^[-\d]/.test(model.get(axis)) ? `${title.toLowerCase()} ${model.get(axis)}` : model.get(axis))).join(" · ");
  function refresh() {
    const alive = kernel.computes, state = stateOf();
    for (const { axis, form } of meta.controls) {
      const known = alive || !precomputed[axis].includes(model.get(axis)) ? axes[axis] : precomputed[axis];
      if (form === "pills") controls[axis].show(model.get(axis));
      else controls[axis].show(known, model.get(axis));
    }
    hint.textContent = alive ? "What was not precomputed is computed in your kernel."
      : more.length ? `Finer steps (${more.join(", ")}) need a running notebook (JupyterLab, Colab, VS Code).` : "";
    gallery.setAttribute("aria-busy", String(!state));
    drawChart();
    if (state) {
      pictures.forEach(({ title, img }, i) => { img.src = state.urls[i]; img.alt = `${title}: ${words()}`; });
      numbers.replaceChildren(...meta.measures.flatMap(([name, unit], i) =>
        [h("dt", {}, name), h("dd", {}, format(state.values[i], unit))]));
      map?.show(state.places, [...states.values()].flatMap(({ places }) => places));
      const told = meta.measures.map(([name, unit], i) => `${name} ${format(state.values[i], unit)}`).join(", ");
      status.say([`${words()}: ${told}.`, ...(map ? [map.words(state.places)] : [])].join(" "));
    } else if (alive) {
      ask({ key: keyOf(setting()), words: words(), request: Object.fromEntries(AXES.map((name) => [name, model.get(name)])) });
    } else {
      status.fail(`${words()} was not precomputed; open the notebook to compute it.`);
    }
  }

  const kernel = connect(model, () => refresh());
  const ask = newestOnly(kernel, {
    started: (question) => status.busy(`Computing ${question.words} …`),
    done: (question, { content }) => {
      states.set(question.key, { urls: content.urls, values: content.values, places: content.places });
      if (stateOf()) refresh();
    },
    failed: (error) => status.fail(error.message),
  });

  const root = h("div", { class: "srlab-explorer srlab-pictures", "data-lm-suppress-shortcuts": true });
  const link = permalink(model, root, Object.fromEntries(AXES.map((axis) => [axis, oneOf(axes[axis])])));
  root.append(h("div", { class: "srlab-controls" }, ...Object.values(controls).map((control) => control.el)),
    gallery,
    h("div", { class: "below" }, numbers, h("div", { class: "chart", hidden: !chart }, caption, plot, key), ...(map ? [map.el] : [])),
    status.el, hint, link.el);
  el.append(root);

  const unfollow = follow(model, AXES, refresh);
  refresh();
  return () => {
    kernel.close();
    link.close();
    unfollow();
  };
}

export default { render };
