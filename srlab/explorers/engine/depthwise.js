// Convolutions whose kernels the network computes of the picture, one for each channel (DASR):
// y[n] = Σ kernel[n·k² + i·k + j] · x[n], shifted by (i, j).
//
// Reach: the kernel's extent around each pixel, and all of the kernel.

/** @returns {Step} */
function depthwise(
  /** @type {Tensor} */ x,
  /** @type {Tensor} */ kernel,
  /** @type {number} */ k,
  /** @type {number} */ pad,
) {
  if (kernel.c !== x.c * k * k) fail(`a kernel of ${kernel.c} numbers for ${x.c} channels`);
  const y = tensor(x.c, x.h + 2 * pad - k + 1, x.w + 2 * pad - k + 1);
  /** For each element of the kernel under each pixel: (where in y, where in x, which element). */
  const each = (/** @type {(at: number, i: number, element: number) => void} */ visit) => {
    const [r0, r1, c0, c1] = y.need;
    for (let r = r0; r < r1; r++) {
      for (let c = c0; c < c1; c++) {
        for (let element = 0; element < k * k; element++) {
          const [i, j] = [r - pad + Math.floor(element / k), c - pad + (element % k)];
          if (i >= 0 && j >= 0 && i < x.h && j < x.w) visit(place(y, r, c), place(x, i, j), element);
        }
      }
    }
  };
  return {
    y, xs: [x, kernel],
    reach: ([r0, r1, c0, c1], i) => (i ? [0, 1, 0, 1] : [r0 - pad, r1 - 1 - pad + k, c0 - pad, c1 - 1 - pad + k]),
    forward({ floats }) {
      floats.fill(0, y.at, y.at + numbers(y));
      each((at, i, element) => {
        for (let n = 0; n < x.c; n++) floats[y.at + at + n] += floats[kernel.at + n * k * k + element] * floats[x.at + i + n];
      });
    },
    backward: ({ floats }) => each((at, i, element) => {
      for (let n = 0; n < x.c; n++) {
        const slope = floats[y.grad + at + n];
        floats[x.grad + i + n] += slope * floats[kernel.at + n * k * k + element];
        floats[kernel.grad + n * k * k + element] += slope * floats[x.at + i + n];
      }
    }),
  };
}
