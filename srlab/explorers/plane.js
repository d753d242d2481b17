// The plane of two principal components: clouds of patches that the book has, and a patch of the reader's.

const PLANE = { side: 320, edge: 14 }; // SVG units
const DOTS = ["M3.2,0A3.2,3.2 0 1 1 -3.2,0A3.2,3.2 0 1 1 3.2,0Z", "M-2.9,-2.9H2.9V2.9H-2.9Z", "M0,-4.2L4.2,0L0,4.2L-4.2,0Z"];

/** Where features lie on the plane (srlab.representation.plane): axes are (2, features), in 8 bits. */
function placeOf(features, axes, { step, origin }) {
  return [0, 1].map((k) => {
    let sum = 0;
    for (let i = 0, at = k * features.length; i < features.length; i++) sum += features[i] * axes[at + i];
    return sum * step[k] - origin[k];
  });
}

/** Which kind's centre lies nearest to a place, of points of so many kinds in turn. */
function nearestKind(points, count, [x, y]) {
  const centres = Array.from({ length: count }, () => [0, 0]), share = count / points.length;
  points.forEach(([a, b], i) => { centres[i % count][0] += a * share; centres[i % count][1] += b * share; });
  const far = centres.map(([a, b]) => Math.hypot(a - x, b - y));
  return far.indexOf(Math.min(...far));
}

const dot = (kind, colours) =>
  h("svg:path", { class: "dot", d: DOTS[kind % DOTS.length], style: `--colour: ${colours[kind]}` });

/** The drawing: {el, show(points, way, label)}; the way's last place is where the reader's patch is. */
function makePlane(colours) {
  const cloud = h("svg:g"), line = h("svg:polyline", { class: "way" }), ring = h("svg:circle", { class: "here", r: 8 });
  const el = h("svg:svg", { viewBox: `0 0 ${PLANE.side} ${PLANE.side}`, role: "img" },
    h("svg:rect", { class: "ground", width: PLANE.side, height: PLANE.side }), cloud, line, ring);
  return {
    el,
    show(points, way, label) {
      const ends = [0, 1].map((axis) => [...points, ...way].map((place) => place[axis]))
        .map((values) => [Math.min(...values), Math.max(...values)]);
      const scale = (PLANE.side - 2 * PLANE.edge) / Math.max(...ends.map(([from, to]) => to - from));
      const at = (place) => ends.map(([from, to], axis) =>
        (PLANE.side / 2 + (axis ? -1 : 1) * scale * (place[axis] - (from + to) / 2)).toFixed(1));
      cloud.replaceChildren(...points.map((place, i) => {
        const own = dot(i % colours.length, colours);
        own.setAttribute("transform", `translate(${at(place)})`);
        return own;
      }));
      line.setAttribute("points", way.map(at).join(" "));
      ring.toggleAttribute("hidden", !way.length);
      if (way.length) ring.setAttribute("transform", `translate(${at(way.at(-1))})`);
      el.setAttribute("aria-label", label);
    },
  };
}

/** What the shapes and colours of dots mean. */
const planeKey = (kinds, colours) => {
  const sign = (...own) => h("svg:svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" }, ...own);
  return h("ul", { class: "key" }, ...kinds.map((name, kind) => h("li", {}, sign(dot(kind, colours)), name)),
    h("li", {}, sign(h("svg:circle", { class: "here", r: 7 })), "this patch, and its way"));
};
