// What is known before there is a picture: weights in few bits, and arithmetic with shapes.

/** @type {Record<string, (attributes: any, ...inputs: any[]) => Constant>} */
const FOLDS = {
  Constant: ({ value, value_float, value_int, value_ints, value_floats }) =>
    value ?? { shape: [], data: [].concat(value_float ?? value_int ?? value_ints ?? value_floats) },
  DequantizeLinear({ axis = 1 }, { shape, data }, step, zero) {
    if (zero && [...zero.data].some(Boolean)) fail("weights with a zero point");
    const inner = shape.slice(axis + 1).reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const steps = step.data.length > 1 ? shape[axis] : 1;
    const value = (/** @type {number} */ v, /** @type {number} */ i) => v * step.data[Math.floor(i / inner) % steps];
    return { shape, data: Float32Array.from(data, value) };
  },
  Cast: ({ to }, { shape, data }) => ({
    shape,
    data: to === 6 || to === 7 ? Array.from(data, Math.trunc) : Float32Array.from(data),
  }),
  Shape: ({ start = 0, end = 4 }, x) => vector([1, x.c, x.h, x.w].slice(start, end)),
  Concat: (_, ...parts) => vector(parts.flatMap(({ data }) => [...data])),
  Gather: (_, { data }, index) => ({ shape: index.shape, data: Array.from(index.data, (/** @type {number} */ i) => [...data].at(i)) }),
  Slice: (_, { data }, from, to) => vector([...data].slice(from.data[0], to.data[0])),
  Squeeze: (_, { data }) => vector(data),
  Unsqueeze: (_, { data }) => vector(data),
  Reshape: (_, { data }) => vector(data),
  Identity: (_, constant) => constant,
  Add: (_, a, b) => together(a, b, (v, u) => v + u),
  Sub: (_, a, b) => together(a, b, (v, u) => v - u),
  Mul: (_, a, b) => together(a, b, (v, u) => v * u),
  Div(_, a, b) {
    const whole = ![a, b].some(({ data }) => data instanceof Float32Array);
    return together(a, b, (v, u) => (whole ? Math.trunc(v / u) : v / u));
  },
  Sqrt: (_, { shape, data }) => ({ shape, data: Float32Array.from(data, Math.sqrt) }),
  ReduceProd: (_, { data }) => vector([[...data].reduce((a, b) => a * b, 1)]),
  Mod: (_, a, b) => together(a, b, (v, u) => v - u * Math.floor(v / u)),
};

/** @returns {Constant} */
const vector = (/** @type {ArrayLike<number>} */ data) => ({ shape: [data.length], data });

function together(
  /** @type {Constant} */ { data: a },
  /** @type {Constant} */ { data: b },
  /** @type {(v: number, u: number) => number} */ f,
) {
  const length = Math.max(a.length, b.length);
  const made = Array.from({ length }, (_, i) => f(a[i % a.length], b[i % b.length]));
  return vector(a instanceof Float32Array || b instanceof Float32Array ? Float32Array.from(made) : made);
}
