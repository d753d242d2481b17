// Functions of one number, at every channel and pixel. Reach: the same rectangle.

/** v → y, and dy/dv. @typedef {[value: (v: number) => number, slope: (v: number, y: number) => number]} Curve */

/** @param {any} attributes @param {Constant[]} constants @returns {Curve} */
const clip = (attributes, [low, high]) => {
  const [a, b] = [low?.data[0] ?? attributes.min ?? -Infinity, high?.data[0] ?? attributes.max ?? Infinity];
  return [(v) => Math.min(b, Math.max(a, v)), (v) => +(v >= a && v <= b)];
};

/** @param {any} _ @param {Constant[]} constants @returns {Curve} */
const power = (_, [exponent]) => {
  if (exponent?.data?.length !== 1) fail("Pow of two tensors");
  const p = exponent.data[0];
  return [(v) => v ** p, (v) => p * v ** (p - 1)];
};

/** By ONNX's names; Relu, LeakyRelu and PRelu have a `rectifier` of their own.
 * @type {Record<string, (attributes: any, constants: Constant[]) => Curve>} */
const CURVES = {
  Abs: () => [Math.abs, Math.sign],
  Clip: clip,
  Elu: ({ alpha = 1 }) => [(v) => (v > 0 ? v : alpha * Math.expm1(v)), (v) => (v > 0 ? 1 : alpha * Math.exp(v))],
  Exp: () => [Math.exp, (_, y) => y],
  HardSigmoid: ({ alpha = 0.2, beta = 0.5 }) => [
    (v) => Math.min(1, Math.max(0, alpha * v + beta)),
    (v) => (alpha * v + beta > 0 && alpha * v + beta < 1 ? alpha : 0),
  ],
  HardSwish: () => [
    (v) => (v * Math.min(6, Math.max(0, v + 3))) / 6,
    (v) => (v < -3 ? 0 : v < 3 ? v / 3 + 0.5 : 1),
  ],
  Identity: () => [(v) => v, () => 1],
  Log: () => [Math.log, (v) => 1 / v],
  Neg: () => [(v) => -v, () => -1],
  Pow: power,
  Reciprocal: () => [(v) => 1 / v, (_, y) => -y * y],
  Sigmoid: () => [(v) => 1 / (1 + Math.exp(-v)), (_, y) => y * (1 - y)],
  Softplus: () => [(v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), (v) => 1 / (1 + Math.exp(-v))],
  Sqrt: () => [Math.sqrt, (_, y) => 0.5 / y],
  Tanh: () => [Math.tanh, (_, y) => 1 - y * y],
};

/** @returns {Step} */
function pointwise(/** @type {Tensor} */ x, /** @type {Curve} */ [value, slope]) {
  const y = like(x);
  return {
    y, xs: [x], reach: same,
    forward: ({ floats }) => runs(y, x, (at, from, count) => {
      for (let i = 0; i < count; i++) floats[y.at + at + i] = value(floats[x.at + from + i]);
    }),
    backward: ({ floats }) => runs(y, x, (at, from, count) => {
      for (let i = 0; i < count; i++) {
        const [v, u] = [floats[x.at + from + i], floats[y.at + at + i]];
        floats[x.grad + from + i] += floats[y.grad + at + i] * slope(v, u);
      }
    }),
  };
}

/** v where positive, else slope · v, of one slope or one a channel. @returns {Step} */
function rectifier(/** @type {Tensor} */ x, /** @type {ArrayLike<number>} */ slopes) {
  const y = like(x);
  const { c } = x;
  const slope = Float32Array.from({ length: c }, (_, i) => slopes[slopes.length > 1 ? i : 0]);
  return {
    y, xs: [x], reach: same,
    forward: ({ floats }) => runs(y, x, (at, from, count) => {
      for (let i = 0, a = y.at + at, b = x.at + from; i < count; i += c) {
        for (let n = 0; n < c; n++, a++, b++) floats[a] = floats[b] > 0 ? floats[b] : slope[n] * floats[b];
      }
    }),
    backward: ({ floats }) => runs(y, x, (at, from, count) => {
      for (let i = 0, g = y.grad + at, a = x.grad + from, b = x.at + from; i < count; i += c) {
        for (let n = 0; n < c; n++, a++, b++, g++) floats[a] += floats[b] > 0 ? floats[g] : slope[n] * floats[g];
      }
    }),
  };
}
