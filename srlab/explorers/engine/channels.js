// Operators that pick, join, average and lay out channels. Reach: the same rectangle but where said.

/** Channels `from` … `from + count` of x. @returns {Step} */
function channels(/** @type {Tensor} */ x, /** @type {number} */ from, /** @type {number} */ count) {
  const y = tensor(count, x.h, x.w);
  return {
    y, xs: [x], reach: same,
    forward: ({ floats }) => pixels(y, [x], (at, i) => {
      floats.copyWithin(y.at + at, x.at + i + from, x.at + i + from + count);
    }),
    backward: ({ floats }) => pixels(y, [x], (at, i) => {
      for (let n = 0; n < count; n++) floats[x.grad + i + from + n] += floats[y.grad + at + n];
    }),
  };
}

/** One behind the other. @returns {Step} */
function concatenation(/** @type {Tensor[]} */ xs) {
  const firsts = [0];
  for (const x of xs) firsts.push((firsts.at(-1) ?? 0) + x.c);
  const y = tensor(firsts.at(-1) ?? 0, xs[0].h, xs[0].w);
  if (xs.some((x) => x.h !== y.h || x.w !== y.w)) fail("Concat of tensors that are not of one size");
  return {
    y, xs, reach: same,
    forward: ({ floats }) => xs.forEach((x, k) => pixels(y, [x], (at, i) => {
      floats.copyWithin(y.at + at + firsts[k], x.at + i, x.at + i + x.c);
    })),
    backward: ({ floats }) => xs.forEach((x, k) => pixels(y, [x], (at, i) => {
      for (let n = 0; n < x.c; n++) floats[x.grad + i + n] += floats[y.grad + at + firsts[k] + n];
    })),
  };
}

/** The mean of each channel over the whole picture, which it reaches. @returns {Step} */
function mean(/** @type {Tensor} */ x) {
  const y = tensor(x.c, 1, 1);
  const share = 1 / (x.h * x.w);
  return {
    y, xs: [x], reach: everything,
    forward({ floats }) {
      const total = new Float64Array(x.c);
      pixels(x, [], (i) => { for (let n = 0; n < x.c; n++) total[n] += floats[x.at + i + n]; });
      total.forEach((v, n) => { floats[y.at + n] = v * share; });
    },
    backward: ({ floats }) => pixels(x, [], (i) => {
      for (let n = 0; n < x.c; n++) floats[x.grad + i + n] += share * floats[y.grad + n];
    }),
  };
}

/** The mean of the channels of each pixel. @returns {Step} */
function meanOfChannels(/** @type {Tensor} */ x) {
  const y = tensor(1, x.h, x.w);
  return {
    y, xs: [x], reach: same,
    forward: ({ floats }) => pixels(y, [x], (at, i) => {
      let total = 0;
      for (let n = 0; n < x.c; n++) total += floats[x.at + i + n];
      floats[y.at + at] = total / x.c;
    }),
    backward: ({ floats }) => pixels(y, [x], (at, i) => {
      for (let n = 0; n < x.c; n++) floats[x.grad + i + n] += floats[y.grad + at] / x.c;
    }),
  };
}

/** The largest of k × k pixels, `s` apart; it passes the gradient to that pixel. @returns {Step} */
function largest(/** @type {Tensor} */ x, /** @type {number} */ k, /** @type {number} */ s, /** @type {number} */ pad) {
  const extent = (/** @type {number} */ size) => Math.floor((size + 2 * pad - k) / s) + 1;
  const y = tensor(x.c, extent(x.h), extent(x.w));
  /** @type {Step["reach"]} */
  const reach = ([r0, r1, c0, c1]) =>
    [r0 * s - pad, (r1 - 1) * s - pad + k, c0 * s - pad, (c1 - 1) * s - pad + k];
  const each = (/** @type {Float32Array} */ floats, /** @type {(at: number, i: number) => void} */ visit) => {
    const [r0, r1, c0, c1] = y.need;
    for (let r = r0; r < r1; r++) {
      for (let c = c0; c < c1; c++) {
        const [top, bottom, left, right] = within(/** @type {Rectangle} */ (reach([r, r + 1, c, c + 1], 0)), x);
        for (let n = 0; n < x.c; n++) {
          let best = place(x, top, left) + n;
          for (let i = top; i < bottom; i++) {
            for (let j = left; j < right; j++) {
              const at = place(x, i, j) + n;
              if (floats[x.at + at] > floats[x.at + best]) best = at;
            }
          }
          visit(place(y, r, c) + n, best);
        }
      }
    }
  };
  return {
    y, xs: [x], reach,
    forward: ({ floats }) => each(floats, (at, i) => { floats[y.at + at] = floats[x.at + i]; }),
    backward: ({ floats }) => each(floats, (at, i) => { floats[x.grad + i] += floats[y.grad + at]; }),
  };
}

/** b² channels become b × b pixels; reach: the pixels that they come from.
 * `columnsFirst`: a result's b² channels lie side by side (PixelShuffle), else `count` apart.
 * @returns {Step} */
function depthToSpace(/** @type {Tensor} */ x, /** @type {number} */ b, /** @type {boolean} */ columnsFirst) {
  const count = x.c / b / b;
  const y = tensor(count, b * x.h, b * x.w);
  const apart = columnsFirst ? b * b : 1;
  const each = (/** @type {(at: number, i: number) => void} */ visit) => {
    const [r0, r1, c0, c1] = y.need;
    for (let r = r0; r < r1; r++) {
      for (let c = c0; c < c1; c++) {
        const phase = (r % b) * b + (c % b);
        const from = place(x, Math.floor(r / b), Math.floor(c / b)) + (columnsFirst ? phase : phase * count);
        visit(place(y, r, c), from);
      }
    }
  };
  return {
    y, xs: [x],
    reach: ([r0, r1, c0, c1]) => [Math.floor(r0 / b), Math.ceil(r1 / b), Math.floor(c0 / b), Math.ceil(c1 / b)],
    forward: ({ floats }) => each((at, i) => {
      for (let n = 0; n < count; n++) floats[y.at + at + n] = floats[x.at + i + apart * n];
    }),
    backward: ({ floats }) => each((at, i) => {
      for (let n = 0; n < count; n++) floats[x.grad + i + apart * n] += floats[y.grad + at + n];
    }),
  };
}
