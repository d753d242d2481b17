// Arithmetic of two tensors, of which one may be a constant, or have one channel or one pixel only.
//
// Reach: the same rectangle; of a tensor of one pixel, that pixel.

/** A tensor, or a constant as one of a value for all or for each channel.
 * @typedef {Tensor & {constant?: boolean}} Operand @returns {Operand} */
function operand(
  /** @type {Tensor | Constant} */ value,
  /** @type {string} */ name,
  /** @type {Environment} */ { heap, keep },
) {
  if (!("data" in value)) return value;
  const { shape, data } = value;
  const sizes = shape.filter((size) => size > 1);
  const fits = !sizes.length || (sizes.length === 1 && shape.at(-3) === sizes[0]);
  if (!fits) fail(`arithmetic with a constant of ${shape.join("×")}`);
  const at = keep(name, () => heap.put(Float32Array.from(data)));
  return { c: data.length, h: 1, w: 1, at, grad: 0, need: [0, 1, 0, 1], constant: true };
}

/** What two operands make together, and how far apart the channels of each are. */
function broadcast(/** @type {Operand} */ a, /** @type {Operand} */ b) {
  const [one, two] = [flat(a) ? b : a, flat(b) ? a : b];
  const fit = one.h === two.h && one.w === two.w && (a.c === b.c || a.c === 1 || b.c === 1);
  if (!fit) fail(`arithmetic of ${a.c}×${a.h}×${a.w} and ${b.c}×${b.h}×${b.w}`);
  const y = tensor(Math.max(a.c, b.c), one.h, one.w);
  const xs = [a, b].filter((x) => !x.constant);
  /** @type {Step["reach"]} */
  const reach = (need, i) => (flat(xs[i]) ? [0, 1, 0, 1] : need);
  const alike = !flat(a) && !flat(b) && a.c === b.c; // both are of the size of the result
  return { y, xs, reach, alike, steps: [a, b].map((x) => +(x.c > 1)) };
}

/** Add and Sub: a + sign · b. The commonest of all, so tensors of one size are added run by run.
 * @returns {Step} */
function sum(
  /** @type {Tensor | Constant} */ left,
  /** @type {Tensor | Constant} */ right,
  /** @type {number} */ sign,
  /** @type {Environment} */ environment,
) {
  const [a, b] = [operand(left, "left", environment), operand(right, "right", environment)];
  const { y, xs, reach, alike, steps: [da, db] } = broadcast(a, b);
  if (!alike) return arithmetic(left, right, [(u, v) => u + sign * v, () => 1, () => sign], environment);
  return {
    y, xs, reach,
    forward({ floats }) {
      runs(y, a, (at, from, count) => {
        const [to, u, v] = [y.at + at, a.at + from, b.at + from];
        floats.copyWithin(to, u, u + count);
      });
      runs(y, b, (at, from, count) => {
        for (let i = 0; i < count; i++) floats[y.at + at + i] += sign * floats[b.at + from + i];
      });
    },
    backward({ floats }) {
      for (const [x, factor] of /** @type {[Tensor, number][]} */ ([[a, 1], [b, sign]])) {
        runs(y, x, (at, from, count) => {
          for (let i = 0; i < count; i++) floats[x.grad + from + i] += factor * floats[y.grad + at + i];
        });
      }
    },
  };
}

/** (u, v) → y, dy/du, dy/dv. @typedef {((u: number, v: number) => number)[]} Law */
/** @type {Record<string, Law>} */
const LAWS = {
  Mul: [(u, v) => u * v, (_, v) => v, (u) => u],
  Div: [(u, v) => u / v, (_, v) => 1 / v, (u, v) => -u / (v * v)],
  Max: [Math.max, (u, v) => (u > v ? 1 : u < v ? 0 : 0.5), (u, v) => (v > u ? 1 : v < u ? 0 : 0.5)],
  Min: [Math.min, (u, v) => (u < v ? 1 : u > v ? 0 : 0.5), (u, v) => (v < u ? 1 : v > u ? 0 : 0.5)],
};

/** @returns {Step} */
function arithmetic(
  /** @type {Tensor | Constant} */ left,
  /** @type {Tensor | Constant} */ right,
  /** @type {Law} */ [value, byLeft, byRight],
  /** @type {Environment} */ environment,
) {
  const [a, b] = [operand(left, "left", environment), operand(right, "right", environment)];
  const { y, xs, reach, steps: [da, db] } = broadcast(a, b);
  return {
    y, xs, reach,
    forward: ({ floats }) => pixels(y, [a, b], (at, i, j) => {
      for (let n = 0; n < y.c; n++) floats[y.at + at + n] = value(floats[a.at + i + da * n], floats[b.at + j + db * n]);
    }),
    backward: ({ floats }) => pixels(y, [a, b], (at, i, j) => {
      for (let n = 0; n < y.c; n++) {
        const slope = floats[y.grad + at + n];
        const [u, v] = [floats[a.at + i + da * n], floats[b.at + j + db * n]];
        if (!a.constant) floats[a.grad + i + da * n] += slope * byLeft(u, v);
        if (!b.constant) floats[b.grad + j + db * n] += slope * byRight(u, v);
      }
    }),
  };
}
