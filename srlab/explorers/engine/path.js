// LAM's path (srlab.attribution.paths): from the blurred picture to the picture, the width of the
// blur falling linearly with the position from 0 to 1.

const BLUR = { sigma: 1.2, kernel: 9 }; // LR pixels, as LAM's public code has it
const RESOLUTION = 128; // of the way's length

/** A planar picture (3, h, w). @typedef {{data: Float32Array, h: number, w: number}} Picture */
/** {at: position → picture's numbers, measure: fraction of the way's length → position}
 * @typedef {{at: (position: number) => Float32Array, measure: (fraction: number) => number}} Path */

/** @returns {Path} */
function deblurring(/** @type {Picture} */ { data, h, w }, sigma = BLUR.sigma) {
  const at = (/** @type {number} */ position) =>
    blurred(data, h, w, sigma * (1 - position), BLUR.kernel);
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

/** A picture blurred with a Gaussian of `sigma` pixels, borders mirrored: rows, then columns. */
function blurred(
  /** @type {Float32Array} */ picture,
  /** @type {number} */ h,
  /** @type {number} */ w,
  /** @type {number} */ sigma,
  /** @type {number} */ size,
) {
  const radius = size >> 1;
  if (Math.min(h, w) <= radius) {
    fail(`a picture of more than ${radius} pixels a side is needed, this has ${h}×${w}`);
  }
  const weights = gaussian(sigma, radius);
  const rows = new Float32Array(picture.length);
  const both = new Float32Array(picture.length);
  for (let c = 0; c < 3; c++) {
    for (let r = 0; r < h; r++) blurLine(picture, rows, (c * h + r) * w, 1, w, weights);
    for (let column = 0; column < w; column++) {
      blurLine(rows, both, c * h * w + column, w, h, weights);
    }
  }
  return both;
}

/** Its weights from the middle outwards; those that float32 would not feel are left out. */
function gaussian(/** @type {number} */ sigma, /** @type {number} */ radius) {
  const width = Math.max(sigma, 1e-3);
  const half = Array.from({ length: radius + 1 }, (_, d) => Math.exp(-((d / width) ** 2) / 2));
  const whole = half.reduce((sum, v) => sum + 2 * v, -half[0]);
  return half.filter((v) => v > 1e-10).map((v) => v / whole);
}

/** n numbers from `first` on, `step` apart. */
function blurLine(
  /** @type {Float32Array} */ from,
  /** @type {Float32Array} */ to,
  /** @type {number} */ first,
  /** @type {number} */ step,
  /** @type {number} */ n,
  /** @type {number[]} */ weights,
) {
  const reach = weights.length - 1;
  const line = new Float64Array(n + 2 * reach);
  for (let i = 0; i < n; i++) line[reach + i] = from[first + i * step];
  for (let d = 1; d <= reach; d++) {
    line[reach - d] = line[reach + d];
    line[reach + n - 1 + d] = line[reach + n - 1 - d];
  }
  for (let i = 0; i < n; i++) {
    let sum = weights[0] * line[reach + i];
    for (let d = 1; d <= reach; d++)
      sum += weights[d] * (line[reach + i - d] + line[reach + i + d]);
    to[first + i * step] = sum;
  }
}
