// LAM's path (srlab.attribution.paths): from the blurred picture to the picture, the width of the
// blur falling linearly with the position from 0 to 1.

const BLUR = { sigma: 1.2, kernel: 9 }; // LR pixels, as LAM's public code has it
const RESOLUTION = 128; // of the way's length

/** A planar picture (3, h, w). @typedef {{data: Float32Array, h: number, w: number}} Picture */
/** {at: position → picture's numbers, measure: fraction of the way's length → position}
 * @typedef {{at: (position: number) => Float32Array, measure: (fraction: number) => number}} Path */

/** @returns {Path} */
function deblurring(/** @type {Picture} */ { data, h, w }, sigma = BLUR.sigma) {
  const at = (/** @type {number} */ position) => blurred(data, h, w, sigma * (1 - position), BLUR.kernel);
  /** @type {number[] | undefined} */
  let length; // up to each of so many positions; found when it is first asked for
  return {
    at,
    measure(fraction) {
      length ??= lengths(at);
      const whole = length[RESOLUTION];
      if (!whole) return fraction; // a flat picture: nothing moves
      const wanted = fraction * whole;
      const i = length.findIndex((own) => own > wanted);
      if (i < 0) return 1;
      return (i - 1 + (wanted - length[i - 1]) / (length[i] - length[i - 1])) / RESOLUTION;
    },
  };
}

function lengths(/** @type {Path["at"]} */ at) {
  const length = [0];
  for (let i = 1, before = at(0); i <= RESOLUTION; i++) {
    const now = at(i / RESOLUTION);
    let moved = 0;
    for (let j = 0; j < now.length; j++) moved += Math.abs(now[j] - before[j]);
    length.push(length[i - 1] + moved);
    before = now;
  }
  return length;
}

/** A picture blurred with a Gaussian of `sigma` pixels, borders mirrored. */
function blurred(
  /** @type {Float32Array} */ picture,
  /** @type {number} */ h,
  /** @type {number} */ w,
  /** @type {number} */ sigma,
  /** @type {number} */ size,
) {
  const radius = size >> 1;
  if (Math.min(h, w) <= radius) fail(`a picture of more than ${radius} pixels a side is needed, this has ${h}×${w}`);
  const width = Math.max(sigma, 1e-3);
  const row = Float64Array.from({ length: size }, (_, i) => Math.exp(-(((i - radius) / width) ** 2) / 2));
  const whole = row.reduce((a, b) => a + b);
  const mirror = (/** @type {number} */ i, /** @type {number} */ n) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i);
  /** Lines of n pixels `step` apart, which begin `line` apart.
   * @param {Float32Array} from @param {number} n @param {number} step @param {number} lines @param {number} line */
  const along = (from, n, step, lines, line) => {
    const to = new Float32Array(from.length);
    const near = Int32Array.from({ length: n * size }, (_, k) => step * mirror(Math.floor(k / size) + (k % size) - radius, n));
    for (let c = 0; c < 3; c++) {
      for (let k = 0; k < lines; k++) {
        const base = c * h * w + k * line;
        for (let i = 0; i < n; i++) {
          let sum = 0;
          for (let d = 0; d < size; d++) sum += row[d] * from[base + near[i * size + d]];
          to[base + i * step] = sum / whole;
        }
      }
    }
    return to;
  };
  return along(along(picture, w, 1, h, w), h, w, w, 1);
}
