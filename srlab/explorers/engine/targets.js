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
        const [value, byDown, byRight] = measured(window[at + n] - window[at], window[at + 1] - window[at]);
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
      byColour.forEach((slope, c) => { slopes[c * plane + at] = slope; });
    }
  }
  return { value: total, slopes };
};

const LUMA = [65.481, 128.553, 24.966].map((weight) => weight / 255);

/** @type {Record<string, (...settings: number[]) => Measure>} */
const MEASURES = {
  gradient: () => ofDifferences((down, right) => {
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
  brightness: () => ofColours((rgb) => [rgb.reduce((sum, v, c) => sum + LUMA[c] * v, 16 / 255), LUMA]),
  colour: () => ofColours((rgb) => {
    const mean = (rgb[0] + rgb[1] + rgb[2]) / 3;
    const off = rgb.map((v) => v - mean);
    return [off.reduce((sum, v) => sum + v * v, 0), off.map((v) => 2 * v)];
  }),
};

/** The measure of that name, numbers behind a colon: "edges:90". */
function namedMeasure(/** @type {string} */ name) {
  const [known, settings] = name.split(":");
  const make = MEASURES[known] ?? fail(`unknown target ${name}; this page has ${Object.keys(MEASURES).join(", ")}`);
  return make(...(settings ? settings.split(",").map(Number) : []));
}
