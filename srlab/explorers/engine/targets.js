// What is measured of a window of the SR picture, with its gradient (srlab.attribution.targets).
//
// A window is (3, n, n): the target's pixels and one more row and column, for forward differences.

/** @typedef {(window: Float32Array, n: number) => {value: number, slopes: Float32Array}} Measure */
/** @typedef {(down: number, right: number) => [value: number, byDown: number, byRight: number]} OfDifferences */

/** Σ over colours and pixels of a function of the differences downwards and to the right.
 * @param {OfDifferences} measured @returns {Measure} */
const ofDifferences = (measured) => (window, n) => {
  const slopes = new Float32Array(window.length);
  let total = 0;
  for (let c = 0; c < 3; c++) {
    for (let r = 0; r < n - 1; r++) {
      for (let at = (c * n + r) * n, end = at + n - 1; at < end; at++) {
        const [value, byDown, byRight] = measured(
          window[at + n] - window[at],
          window[at + 1] - window[at],
        );
        total += value;
        slopes[at + n] += byDown;
        slopes[at + 1] += byRight;
        slopes[at] -= byDown + byRight;
      }
    }
  }
  return { value: total, slopes };
};

/** Σ over pixels of a function of the three colours. @param {(rgb: number[]) => [number, number[]]} measured
 * @returns {Measure} */
const ofColours = (measured) => (window, n) => {
  const slopes = new Float32Array(window.length);
  const plane = n * n;
  let total = 0;
  for (let r = 0; r < n - 1; r++) {
    for (let at = r * n, end = at + n - 1; at < end; at++) {
      const [value, byColour] = measured([window[at], window[plane + at], window[2 * plane + at]]);
      total += value;
      byColour.forEach((slope, c) => {
        slopes[c * plane + at] = slope;
      });
    }
  }
  return { value: total, slopes };
};

/** What the frequencies low ≤ |f| < high, in cycles per pixel, keep of a bright pixel in an m × m
 * picture that repeats itself: two of its periods each way, so that no index must be wrapped. */
function bandPass(/** @type {number} */ m, /** @type {number} */ low, /** @type {number} */ high) {
  const waves = Array.from({ length: m }, (_, i) => (i < m / 2 ? i : i - m) / m);
  const band = waves
    .flatMap((down) => waves.map((right) => [down, right]))
    .filter(([down, right]) => low <= Math.hypot(down, right) && Math.hypot(down, right) < high);
  const period = Float64Array.from({ length: m * m }, (_, at) => {
    const [row, column] = [Math.floor(at / m), at % m];
    const phases = band.map(([down, right]) => 2 * Math.PI * (down * row + right * column));
    return phases.reduce((sum, phase) => sum + Math.cos(phase), 0) / (m * m);
  });
  return Float64Array.from(
    { length: 4 * m * m },
    (_, at) => period[(Math.floor(at / (2 * m)) % m) * m + (at % m)],
  );
}

/** The energy of a band of frequencies in the window less its mean, faded out by Hann's. What the
 * band keeps, it keeps unchanged: so the energy is kept · faded, and its gradient twice the kept.
 * @returns {Measure} */
function ofBand(low = 0.25, high = 0.5) {
  if (!(0 <= low && low < high))
    fail(`a band is 0 ≤ low < high in cycles per pixel, got ${low} to ${high}`);
  const passes = new Map(); // by the window's pixels a side
  return (window, n) => {
    const m = n - 1;
    if (!passes.has(m)) passes.set(m, bandPass(m, low, high));
    const hann = Array.from({ length: m }, (_, i) => Math.sin((Math.PI * (i + 1)) / n) ** 2);
    const fade = Float64Array.from(hann.flatMap((down) => hann.map((right) => down * right)));
    const slopes = new Float32Array(window.length);
    let total = 0;
    for (let c = 0; c < 3; c++) {
      const place = (/** @type {number} */ i) => (c * n + Math.floor(i / m)) * n + (i % m);
      const pixels = fade.map((_, i) => window[place(i)]);
      const mean = average(pixels);
      const faded = pixels.map((v, i) => (v - mean) * fade[i]);
      const kept = convolved(faded, passes.get(m), m);
      total += kept.reduce((sum, v, i) => sum + v * faded[i], 0);
      const back = kept.map((v, i) => 2 * v * fade[i]);
      const middle = average(back); // the mean was taken off
      back.forEach((v, i) => {
        slopes[place(i)] = v - middle;
      });
    }
    return { value: total, slopes };
  };
}

const average = (/** @type {Float64Array} */ values) =>
  values.reduce((sum, v) => sum + v, 0) / values.length;

/** An m × m picture that repeats itself under a kernel of two periods each way. */
function convolved(
  /** @type {Float64Array} */ picture,
  /** @type {Float64Array} */ kernel,
  /** @type {number} */ m,
) {
  return picture.map((_, to) => {
    const last = (Math.floor(to / m) + m) * 2 * m + (to % m) + m; // under it lies the first pixel
    let sum = 0;
    for (let r = 0, from = 0; r < m; r++)
      for (let c = 0; c < m; c++, from++) sum += picture[from] * kernel[last - r * 2 * m - c];
    return sum;
  });
}

const LUMA = [65.481, 128.553, 24.966].map((weight) => weight / 255);

/** @type {Record<string, (...settings: number[]) => Measure>} */
const MEASURES = {
  gradient: () =>
    ofDifferences((down, right) => {
      const size = Math.hypot(down, right);
      return size ? [size, down / size, right / size] : [0, 0, 0]; // exactly flat: no gradient
    }),
  edges: (angle = 0) => {
    const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    return ofDifferences((down, right) => {
      const along = cos * right + sin * down;
      return [Math.abs(along), Math.sign(along) * sin, Math.sign(along) * cos];
    });
  },
  band: ofBand,
  brightness: () =>
    ofColours((rgb) => [rgb.reduce((sum, v, c) => sum + LUMA[c] * v, 16 / 255), LUMA]),
  colour: () =>
    ofColours((rgb) => {
      const mean = (rgb[0] + rgb[1] + rgb[2]) / 3;
      const off = rgb.map((v) => v - mean);
      return [off.reduce((sum, v) => sum + v * v, 0), off.map((v) => 2 * v)];
    }),
};

/** The measure of that name, numbers behind a colon: "edges:90". */
function namedMeasure(/** @type {string} */ name) {
  const [known, settings] = name.split(":");
  const make =
    MEASURES[known] ??
    fail(`unknown target ${name}; this page has ${Object.keys(MEASURES).join(", ")}`);
  return make(...(settings ? settings.split(",").map(Number) : []));
}
