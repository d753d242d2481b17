// Convolutions: y[o] = bias[o] + Σ weight[o][n][i][j] · x[n], shifted by (i, j), in strides.
//
// Backward: y's gradient, zeros between and around it, convolved with the turned kernel. Reach: the
// kernel's extent around each pixel.

/** A kernel of groups and dilations written out in full. @returns {Constant} */
function spread(
  /** @type {Constant} */ weight,
  /** @type {number} */ group,
  /** @type {number[]} */ [dh, dw],
) {
  if (group === 1 && dh === 1 && dw === 1) return weight;
  const [outputs, inner, kh, kw] = weight.shape;
  const [h, w] = [(kh - 1) * dh + 1, (kw - 1) * dw + 1];
  const inputs = inner * group;
  const data = new Float32Array(outputs * inputs * h * w);
  for (let o = 0; o < outputs; o++) {
    for (let n = 0; n < inner; n++) {
      const from = Math.floor(o / (outputs / group)) * inner + n;
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          data[((o * inputs + from) * h + i * dh) * w + j * dw] =
            weight.data[((o * inner + n) * kh + i) * kw + j];
        }
      }
    }
  }
  return { shape: [outputs, inputs, h, w], data };
}

/** @typedef {{width: number, first: number, at: number}} Panel `width` output channels from `first` */

/** Weights as the kernel reads them: blocks of 8 (at last 4) output channels, each begun by its
 * biases. @returns {Panel[]} */
function panels(
  /** @type {Heap} */ heap,
  /** @type {number[]} */ [outputs, inputs, kh, kw],
  /** @type {(o: number, n: number, i: number, j: number) => number} */ weight,
  /** @type {(o: number) => number} */ bias,
) {
  const step = Math.ceil(inputs / 4) * 4;
  const all = [];
  for (let first = 0; first < outputs; first += 8) {
    const width = outputs - first > 4 ? 8 : 4;
    const data = new Float32Array((1 + kh * kw * step) * width);
    for (let o = first; o < Math.min(outputs, first + width); o++) {
      data[o - first] = bias(o);
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          for (let n = 0; n < inputs; n++) {
            data[(1 + (i * kw + j) * step + n) * width + o - first] = weight(o, n, i, j);
          }
        }
      }
    }
    all.push({ width, first, at: heap.put(data) });
  }
  return all;
}

/** @returns {Step} */
function convolution(
  /** @type {Tensor} */ x,
  /** @type {Constant} */ kernel,
  /** @type {Constant | undefined} */ bias,
  /** @type {number[]} */ [sh, sw],
  /** @type {number[]} */ [top, left, bottom, right],
  /** @type {Environment} */ { heap, keep },
) {
  const [outputs, inputs, kh, kw] = kernel.shape;
  const { data } = kernel;
  if (inputs !== x.c) fail(`a convolution of ${inputs} channels where there are ${x.c}`);
  const h = Math.floor((x.h + top + bottom - kh) / sh) + 1;
  const y = tensor(outputs, h, Math.floor((x.w + left + right - kw) / sw) + 1);
  /** @type {(o: number, n: number, i: number, j: number) => number} */
  const weight = (o, n, i, j) => data[((o * inputs + n) * kh + i) * kw + j];
  const ahead = keep("forward", () =>
    panels(heap, [outputs, inputs, kh, kw], weight, (o) => bias?.data[o] ?? 0));
  const turned = keep("backward", () =>
    panels(heap, [inputs, outputs, kh, kw], (n, o, i, j) => weight(o, n, kh - 1 - i, kw - 1 - j), () => 0));
  /** @returns {Rectangle} */
  const reach = (/** @type {Rectangle} */ [r0, r1, c0, c1]) =>
    [r0 * sh - top, (r1 - 1) * sh - top + kh, c0 * sw - left, (c1 - 1) * sw - left + kw];
  /** @type {Step} */
  const step = {
    y, xs: [x], reach,
    forward() {
      const from = padded(heap, x, x.at, reach(y.need), 1, 1);
      slide(heap, ahead, from, stride(x), [kh, kw], [sh, sw], y, y.at);
    },
    backward() {
      const [r0, r1, c0, c1] = x.need;
      const around = /** @type {Rectangle} */ ([r0 + top - kh + 1, r1 + top, c0 + left - kw + 1, c1 + left]);
      const from = padded(heap, y, y.grad, around, sh, sw);
      const count = numbers(x);
      const at = step.fresh ? x.grad : heap.top + from.size; // what nobody wrote is overwritten
      heap.reach(at + count);
      slide(heap, turned, from, stride(y), [kh, kw], [1, 1], x, at);
      const { floats } = heap;
      if (!step.fresh) for (let i = 0; i < count; i++) floats[x.grad + i] += floats[at + i];
    },
  };
  return step;
}

/** @typedef {{at: number, line: number, size: number}} Area numbers a row, and all that were copied */

/** A rectangle of a tensor with zeros wherever there is none of it, its pixels `sh`, `sw` apart; a
 * copy only where it must be. @returns {Area} */
function padded(
  /** @type {Heap} */ heap,
  /** @type {Tensor} */ x,
  /** @type {number} */ start,
  /** @type {Rectangle} */ [r0, r1, c0, c1],
  /** @type {number} */ sh,
  /** @type {number} */ sw,
) {
  const [n0, n1, m0, m1] = x.need;
  const step = stride(x);
  const line = (c1 - c0) * step;
  if (sh === 1 && sw === 1 && r0 >= n0 && r1 <= n1 && c0 >= m0 && c1 <= m1) {
    return { at: place(x, r0, c0, start), line: breadth(x) * step, size: 0 };
  }
  const at = heap.top;
  const size = (r1 - r0) * line;
  heap.reach(at + size);
  const { floats } = heap;
  floats.fill(0, at, at + size);
  const rows = [Math.max(n0, Math.ceil(r0 / sh)), Math.min(n1, Math.ceil(r1 / sh))];
  const columns = [Math.max(m0, Math.ceil(c0 / sw)), Math.min(m1, Math.ceil(c1 / sw))];
  const apart = sw === 1 ? Math.max(1, columns[1] - columns[0]) : 1;
  for (let r = rows[0]; r < rows[1]; r++) {
    const to = at + (r * sh - r0) * line;
    for (let c = columns[0]; c < columns[1]; c += apart) {
      const from = place(x, r, c, start);
      floats.copyWithin(to + (c * sw - c0) * step, from, from + apart * step);
    }
  }
  return { at, line, size };
}

/** Run the kernel over all that y needs, row by row. */
function slide(
  /** @type {Heap} */ heap,
  /** @type {Panel[]} */ blocks,
  /** @type {Area} */ from,
  /** @type {number} */ step,
  /** @type {number[]} */ [kh, kw],
  /** @type {number[]} */ [sh, sw],
  /** @type {Tensor} */ y,
  /** @type {number} */ start,
) {
  const [r0, r1] = y.need;
  const [columns, out] = [breadth(y), stride(y)];
  for (const { width, first, at } of blocks) {
    const row = width === 8 ? heap.kernel.row8 : heap.kernel.row4;
    for (let r = 0; r < r1 - r0; r++) {
      const [x, to] = [from.at + r * sh * from.line, start + r * columns * out + first];
      row(BYTES * x, BYTES * at, BYTES * to, columns, BYTES * sw * step, BYTES * out, kw * step, kh, BYTES * from.line);
    }
  }
}

/** A transposed convolution as a plain one with scale² times the channels, to be laid out by
 * `depthToSpace`: phase (u, v) of a pixel sees only every scale-th element of the kernel.
 * @returns {{kernel: Constant, bias: Constant | undefined, reach: number}} */
function untransposed(
  /** @type {Constant} */ weight,
  /** @type {Constant | undefined} */ bias,
  /** @type {number} */ scale,
  /** @type {number} */ pad,
) {
  const [inputs, outputs, size] = weight.shape;
  const reach = Math.max(Math.floor((scale - 1 + pad) / scale), Math.ceil((size - 1 - pad) / scale));
  const side = 2 * reach + 1;
  const shape = [outputs * scale * scale, inputs, side, side];
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  const taps = (/** @type {number} */ phase) => // [tap of the plain kernel, element of the given one]
    Array.from({ length: side }, (_, t) => [t, phase + pad - scale * (t - reach)])
      .filter(([, k]) => k >= 0 && k < size);
  for (let phase = 0; phase < scale * scale; phase++) {
    for (const [i, k] of taps(Math.floor(phase / scale))) {
      for (const [j, l] of taps(phase % scale)) {
        for (let o = 0; o < outputs; o++) {
          for (let n = 0; n < inputs; n++) {
            data[(((o * scale * scale + phase) * inputs + n) * side + i) * side + j] =
              weight.data[((n * outputs + o) * size + k) * size + l];
          }
        }
      }
    }
  }
  const each = bias && Array.from({ length: shape[0] }, (_, i) => bias.data[Math.floor(i / scale ** 2)]);
  return { kernel: { shape, data }, bias: each && { shape: [shape[0]], data: each }, reach };
}
