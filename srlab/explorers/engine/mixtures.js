// Resize, Pad and Slice: each row of the result is a mixture of rows, each column one of columns.
//
// Reach: the rows and columns that are mixed.

/** For each line of the result [[line, weight], …]. @typedef {[number, number][][]} Mixtures */

const inside = (/** @type {number} */ i, /** @type {number} */ size) => Math.min(size - 1, Math.max(0, i));

/** Keys' cubic with parameter a. */
function cubic(/** @type {number} */ t, /** @type {number} */ a) {
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? a * (((t - 5) * t + 8) * t - 4) : 0;
}

/** Where line i of the result lies in the picture, by ONNX's name of the convention.
 * @type {Record<string, (i: number, factor: number, size: number, total: number) => number>} */
const PLACES = {
  half_pixel: (i, factor) => (i + 0.5) / factor - 0.5,
  pytorch_half_pixel: (i, factor, _, total) => (total > 1 ? (i + 0.5) / factor - 0.5 : 0),
  align_corners: (i, _, size, total) => (total > 1 ? (i * (size - 1)) / (total - 1) : 0),
  asymmetric: (i, factor) => i / factor,
};

/** @type {Record<string, (at: number) => number>} */
const ROUNDINGS = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
};

/** Resize of `size` lines to `total`. @returns {Mixtures} */
function resizing(
  /** @type {number} */ size,
  /** @type {number} */ total,
  /** @type {number} */ factor,
  /** @type {any} */ attributes,
) {
  const { mode = "nearest", nearest_mode: rounding = "round_prefer_floor" } = attributes;
  const { cubic_coeff_a: a = -0.75, exclude_outside: excludes = 0 } = attributes;
  const convention = attributes.coordinate_transformation_mode ?? "half_pixel";
  const source = PLACES[convention] ?? fail(`Resize with ${convention}`);
  const round = ROUNDINGS[rounding] ?? fail(`Resize with ${rounding}`);
  return Array.from({ length: total }, (_, i) => {
    const at = source(i, factor, size, total);
    if (mode === "nearest") return [[inside(round(at), size), 1]];
    const first = Math.floor(at);
    const lines = mode === "linear" ? [first, first + 1] : [first - 1, first, first + 1, first + 2];
    const used = excludes ? lines.filter((k) => k === inside(k, size)) : lines;
    const weights = used.map((k) => (mode === "linear" ? 1 - Math.abs(at - k) : cubic(Math.abs(at - k), a)));
    const whole = weights.reduce((sum, v) => sum + v, 0);
    return used.map((k, n) => [inside(k, size), weights[n] / whole]);
  });
}

/** Pad of `size` lines by so many before and behind. @returns {Mixtures} */
function padding(
  /** @type {number} */ size,
  /** @type {number} */ before,
  /** @type {number} */ behind,
  /** @type {string} */ mode,
) {
  const mirror = (/** @type {number} */ i) => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i);
  return Array.from({ length: size + before + behind }, (_, n) => {
    const i = n - before;
    if (mode === "constant") return i === inside(i, size) ? [[i, 1]] : [];
    return [[mode === "edge" ? inside(i, size) : mirror(i), 1]];
  });
}

/** Lines from … to, every `step`-th. @returns {Mixtures} */
function slicing(
  /** @type {number} */ size,
  /** @type {number} */ from,
  /** @type {number} */ to,
  /** @type {number} */ step,
) {
  const place = (/** @type {number} */ i) => Math.min(size, Math.max(0, i < 0 ? i + size : i));
  if (step < 1) fail("Slice backwards");
  const [first, last] = [place(from), place(to)];
  return Array.from({ length: Math.max(0, Math.ceil((last - first) / step)) }, (_, i) => [[first + i * step, 1]]);
}

/** @returns {Mixtures} */
const unmixed = (/** @type {number} */ size) => slicing(size, 0, size, 1);

/** @returns {Step} */
function mixture(/** @type {Tensor} */ x, /** @type {Mixtures} */ rows, /** @type {Mixtures} */ columns) {
  const y = tensor(x.c, rows.length, columns.length);
  const range = (/** @type {Mixtures} */ lines, /** @type {number} */ from, /** @type {number} */ to) => {
    const used = lines.slice(from, to).flatMap((line) => line.map(([k]) => k));
    return used.length ? [Math.min(...used), Math.max(...used) + 1] : null;
  };
  const each = (/** @type {(at: number, i: number, weight: number) => void} */ visit) => {
    const [r0, r1, c0, c1] = y.need;
    for (let r = r0; r < r1; r++) {
      for (let c = c0; c < c1; c++) {
        for (const [i, v] of rows[r]) {
          for (const [j, u] of columns[c]) visit(place(y, r, c), place(x, i, j), v * u);
        }
      }
    }
  };
  return {
    y, xs: [x],
    reach([r0, r1, c0, c1]) {
      const [down, across] = [range(rows, r0, r1), range(columns, c0, c1)];
      return down && across && [down[0], down[1], across[0], across[1]];
    },
    forward({ floats }) {
      floats.fill(0, y.at, y.at + numbers(y));
      each((at, i, v) => { for (let n = 0; n < x.c; n++) floats[y.at + at + n] += v * floats[x.at + i + n]; });
    },
    backward: ({ floats }) => each((at, i, v) => {
      for (let n = 0; n < x.c; n++) floats[x.grad + i + n] += v * floats[y.grad + at + n];
    }),
  };
}

/** SR-sized bicubic enlargement as srlab's `upsample` has it: a = −½, cut off at the border. */
function enlargement(/** @type {Tensor} */ x, /** @type {number} */ scale) {
  const attributes = { mode: "cubic", cubic_coeff_a: -0.5, exclude_outside: 1 };
  return mixture(
    x,
    resizing(x.h, scale * x.h, scale, attributes),
    resizing(x.w, scale * x.w, scale, attributes),
  );
}
