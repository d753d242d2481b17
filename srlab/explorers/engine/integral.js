// The path integral Σ gradient · step of a target (srlab.attribution.integral): the same nodes and
// the same sum as in Python, whoever computes the gradients and in whichever order they come.
//
// With a number of steps, nodes lie in the middle of steps of equal length. Otherwise 17 are taken,
// and the interval with the largest expected error is halved until the tolerance is met: a jump of
// the gradient at a random place of an interval that is split in the middle is off by a √12-th of
// jump · interval in the root mean square, and jumps add up in squares.

const LEAST = 16; // intervals to begin with
const MOST = 128; // intervals after which it ends, exact enough or not
const TOLERANCE = 0.05; // Σ |error| / Σ |map|, channels summed

/** @typedef {{fraction: number, position: number, picture: Float32Array, value: number, gradient: Float32Array}} PathNode */
/** Square of the error to be expected, and the part of the map. @typedef {{square: Float64Array, part: Float64Array}} Gap */

class Integral {
  /** Of a target along a path, with `steps` or to a `tolerance`. */
  constructor(/** @type {Path} */ path, { steps = 0, tolerance = TOLERANCE } = {}) {
    this.path = path;
    this.steps = steps;
    this.tolerance = tolerance;
    const even = Array.from({ length: (steps || LEAST) + 1 }, (_, i) => i / (steps || LEAST));
    /** Fractions of the way where the nodes lie, in order. */
    this.fractions = steps ? even.slice(1).map((end) => end - 0.5 / steps) : even;
    /** What came, by position. @type {Map<number, {value: number, gradient?: Float32Array}>} */
    this.found = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    /** @type {Map<number, PathNode>} */
    this.nodes = new Map();
    /** The path's pictures by position. @type {Map<number, Float32Array>} */
    this.pictures = new Map();
    /** @type {Map<string, Gap>} */
    this.gaps = new Map();
    this.done = false;
  }

  /** Up to `count` positions where to differentiate the target next, each told once. The first is
   * needed; those behind it will be, unless the tolerance is met before. Empty while it waits. */
  wanted(count = 1) {
    const some = this.candidates()
      .filter((position) => !this.asked.has(position))
      .slice(0, count);
    for (const position of some) this.asked.add(position);
    return some;
  }

  /** Take in what `Network.differentiate` found at a position. */
  add(
    /** @type {number} */ position,
    /** @type {{value: number, gradient: Float32Array}} */ found,
  ) {
    this.found.set(position, found);
    while (!this.done && this.missing().length === 0) {
      if (this.steps || this.exact()) this.done = true;
      else this.fractions = [...this.fractions, this.halves()[0]].sort((a, b) => a - b);
    }
  }

  /** Positions of the nodes and of both ends, as far as nothing is known of them. */
  missing() {
    const ends = this.steps ? [0, 1] : []; // of adaptive nodes the first and last are ends
    const places = [...this.fractions.map((fraction) => this.path.measure(fraction)), ...ends];
    return places.filter((position) => !this.found.has(position));
  }

  candidates() {
    if (this.done) return [];
    const missing = this.missing();
    const isStart = this.steps || this.fractions.length === LEAST + 1;
    if (isStart && missing.length) return missing;
    return [...missing, ...this.halves().map((fraction) => this.path.measure(fraction))].filter(
      (position) => !this.found.has(position),
    );
  }

  /** Middles of the intervals between known nodes, the largest expected error first. */
  halves() {
    const sizes = this.intervals().map(([first, last]) => {
      const { square } = this.gap(first, last);
      return {
        middle: (first.fraction + last.fraction) / 2,
        size: square.reduce((a, v) => a + Math.sqrt(v), 0),
      };
    });
    return sizes.sort((a, b) => b.size - a.size).map(({ middle }) => middle);
  }

  exact() {
    const gaps = this.intervals().map(([first, last]) => this.gap(first, last));
    if (gaps.length >= MOST) return true;
    return (
      share(summed(gaps.map(({ square }) => square)), summed(gaps.map(({ part }) => part))) <=
      this.tolerance
    );
  }

  /** The nodes whose gradients are known, in order. */
  known() {
    const known = this.fractions.map((fraction) => this.node(fraction));
    return /** @type {PathNode[]} */ (known.filter((node) => node));
  }

  /** Neighbours among them. @returns {[PathNode, PathNode][]} */
  intervals() {
    const known = this.known();
    return known.slice(1).map((last, i) => [known[i], last]);
  }

  at(/** @type {number} */ position) {
    const known = this.pictures.get(position) ?? this.path.at(position);
    this.pictures.set(position, known);
    return known;
  }

  node(/** @type {number} */ fraction) {
    const position = this.path.measure(fraction);
    const found = this.found.get(position);
    if (!found?.gradient) return null;
    if (!this.nodes.has(fraction)) {
      const { value, gradient } = found;
      this.nodes.set(fraction, {
        fraction,
        position,
        picture: this.at(position),
        value,
        gradient,
      });
    }
    return this.nodes.get(fraction);
  }

  /** Between two nodes: the first stands for the way to the middle, the second for the rest. */
  gap(
    /** @type {PathNode} */ first,
    /** @type {PathNode} */ last,
    middle = (first.fraction + last.fraction) / 2,
  ) {
    const key = `${first.fraction} ${last.fraction}`;
    const known = this.gaps.get(key);
    if (known) return known;
    const between = this.at(this.path.measure(middle));
    const n = between.length / 3;
    const lengths = [0, 0];
    const made = { square: new Float64Array(n), part: new Float64Array(n) };
    for (let i = 0; i < between.length; i++) {
      const [to, from] = [between[i] - first.picture[i], last.picture[i] - between[i]];
      lengths[0] += Math.abs(to);
      lengths[1] += Math.abs(from);
      made.square[i % n] += (last.gradient[i] - first.gradient[i]) * (to + from);
      made.part[i % n] += first.gradient[i] * to + last.gradient[i] * from;
    }
    const aside = lengths[0] / (lengths[0] + lengths[1] || 1) - 1 / 2;
    made.square = made.square.map((error) => (1 / 12 + aside ** 2) * error * error);
    this.gaps.set(key, made);
    return made;
  }

  /** {map (3, h, w), error, start, end, completeness, positions} of the nodes that are known: each
   * stands for the places nearer to it than to any other. Exact once `done`. */
  result() {
    const known = this.known();
    const fractions = known.map(({ fraction }) => fraction);
    const bounds =
      this.steps && this.done
        ? Array.from({ length: this.steps + 1 }, (_, i) => i / this.steps)
        : [0, ...fractions.slice(1).map((last, i) => (fractions[i] + last) / 2), 1];
    const ends = bounds.map((bound) => this.at(this.path.measure(bound)));
    const map = new Float64Array(ends[0].length);
    known.forEach(({ gradient }, k) => {
      for (let i = 0; i < map.length; i++) map[i] += gradient[i] * (ends[k + 1][i] - ends[k][i]);
    });
    const [start, end] = [0, 1].map((position) => this.found.get(position)?.value ?? NaN);
    const finite = [start, end, ...map].every(Number.isFinite);
    if (this.done && !finite)
      fail("the map is not finite: the network or its gradient is NaN or infinite on this picture");
    const squares = this.intervals().map(([first, last]) => this.gap(first, last).square);
    const error = squares.length ? share(summed(squares), overChannels(map)) : NaN;
    const completeness = completenessError(map, start, end);
    return {
      map,
      error,
      start,
      end,
      completeness,
      positions: known.map(({ position }) => position),
    };
  }
}

/** @returns {Float64Array} */
function overChannels(/** @type {Float64Array} */ map) {
  const n = map.length / 3;
  return map.slice(0, n).map((v, i) => v + map[n + i] + map[2 * n + i]);
}

function summed(/** @type {Float64Array[]} */ parts) {
  const total = new Float64Array(parts[0].length);
  for (const part of parts)
    part.forEach((v, i) => {
      total[i] += v;
    });
  return total;
}

function share(/** @type {Float64Array} */ square, /** @type {Float64Array} */ shown) {
  const size = shown.reduce((sum, v) => sum + Math.abs(v), 0);
  return size ? square.reduce((sum, v) => sum + Math.sqrt(v), 0) / size : 0;
}
