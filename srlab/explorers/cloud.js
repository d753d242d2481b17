const MAP = { width: 400, height: 300, edge: 16, room: 20 }; // SVG units; room for the words of an axis
const MARKS = [ // two shapes before one comes again
  "M0,-8A8,8 0 1 1 0,8A8,8 0 1 1 0,-8Z", "M0,-10L10,0L0,10L-10,0Z", "M-7,-7H7V7H-7Z",
];
const NEAREST = 10; // points around a marker that say where it is

/** Points coloured by a quantity, and markers that move among them: {el, show(places, all), words(places)}. */
function cloudMap({ points, colourings, axes, labels, markers, marks, shades }, format) {
  const label = (text, attributes) => h("svg:text", { "text-anchor": "middle", ...attributes }, text);
  const mark = (m) => h("svg:path", { class: "mark", d: MARKS[m % MARKS.length], style: `--colour: ${marks[m % marks.length]}` });
  const dots = points.map((_, i) => h("svg:circle", { r: 4 }, ...(labels.length ? [h("svg:title", {}, labels[i])] : [])));
  const riders = markers.map((_, m) => mark(m));
  const plot = h("svg:svg", { viewBox: `0 0 ${MAP.width} ${MAP.height}`, role: "img" },
    h("svg:rect", { class: "ground", x: MAP.room, width: MAP.width - MAP.room, height: MAP.height - MAP.room }),
    label(axes[0], { x: (MAP.width + MAP.room) / 2, y: MAP.height - 4 }),
    label(axes[1], { transform: `translate(12 ${(MAP.height - MAP.room) / 2}) rotate(-90)` }),
    h("svg:g", {}, ...dots), ...riders.toReversed()); // the first marker lies on top

  // ---- colours
  const low = h("span", {}), high = h("span", {});
  const bar = h("p", { class: "bar" }, low,
    h("span", { class: "shades", style: `background: linear-gradient(90deg, ${shades.join(", ")})` }), high);
  const choice = pills("Colour", colourings.map(([name]) => name), paint);
  function paint(chosen) {
    const [name, unit, values] = colourings.find(([own]) => own === chosen);
    const least = Math.min(...values), most = Math.max(...values);
    dots.forEach((dot, i) => {
      const depth = (values[i] - least) / (most - least || 1);
      dot.style.fill = shades[Math.round(depth * (shades.length - 1))];
    });
    choice.show(chosen);
    low.textContent = `${name} ${format(least, "")}`;
    high.textContent = format(most, unit);
  }
  paint(colourings[0][0]);

  // ---- places: one scale for both axes, wide enough for the points and all places known so far
  function show(places, all) {
    const ends = [0, 1].map((axis) => {
      const values = [...points, ...all].map((place) => place[axis]);
      return [Math.min(...values), Math.max(...values)];
    });
    const [wide, tall] = ends.map(([from, to]) => to - from || 1);
    const room = { x: MAP.width - MAP.room - 2 * MAP.edge, y: MAP.height - MAP.room - 2 * MAP.edge };
    const scale = Math.min(room.x / wide, room.y / tall);
    const [x, y] = ends.map(([from, to]) => (value) => scale * (value - (from + to) / 2));
    const at = ([a, b]) => [(MAP.width + MAP.room) / 2 + x(a), (MAP.height - MAP.room) / 2 - y(b)].map((v) => v.toFixed(1));
    dots.forEach((dot, i) => { const [cx, cy] = at(points[i]); dot.setAttribute("cx", cx); dot.setAttribute("cy", cy); });
    riders.forEach((rider, m) => { const [left, top] = at(places[m]); rider.style.transform = `translate(${left}px, ${top}px)`; });
    plot.setAttribute("aria-label", `${points.length} points. ${words(places)}`);
  }

  /** Where the markers are, by the means of what lies around them. */
  function words(places) {
    const around = (place) => {
      const near = points.map(([a, b], i) => [Math.hypot(a - place[0], b - place[1]), i])
        .sort(([one], [other]) => one - other).slice(0, NEAREST);
      return colourings.map(([name, unit, values]) =>
        `${name} ${format(near.reduce((sum, [, i]) => sum + values[i], 0) / near.length, unit)}`).join(", ");
    };
    return `On the map, ${places.map((place, m) => `around ${markers[m]}: ${around(place)}`).join("; ")}.`;
  }

  const names = h("ul", { class: "names" }, ...markers.map((name, m) =>
    h("li", {}, h("svg:svg", { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, mark(m)), name)));
  return { el: h("div", { class: "srlab-cloud" }, names, plot, bar, ...(colourings.length > 1 ? [choice.el] : [])), show, words };
}
