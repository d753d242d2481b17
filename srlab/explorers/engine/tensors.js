// Tensors, and the rectangles of them that a window of the SR picture needs.
//
// A tensor has one value for each channel, row and column of the whole picture. Only `need` of it,
// the rectangle that reaches the window, is ever computed: outside of it the window's gradient is
// zero, so that one rectangle serves the way forward and the way back. Numbers lie in one
// WebAssembly memory, pixel by pixel, the channels of a pixel side by side, filled up with zeros to
// a multiple of 4.

/** @typedef {[number, number, number, number]} Rectangle first row, row behind the last, columns alike */
/** @typedef {{c: number, h: number, w: number, need: Rectangle, at: number, grad: number}} Tensor
 *   places of its numbers and of the gradient's, counted in numbers; `need` is null where not needed */
/** What an operator adds to a plan: `reach` says which rectangle of source i a rectangle of y
 *   depends on, null for none; `backward` adds to the gradients of the sources.
 * @typedef {{y: Tensor, xs: Tensor[], reach: (need: Rectangle, i: number) => Rectangle | null,
 *   forward: (heap: Heap) => void, backward: (heap: Heap) => void, fresh?: boolean}} Step */

const BYTES = 4; // of a number

class Heap {
  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 16 });
    this.kernel = convolutionKernel(this.memory);
    this.floats = new Float32Array(this.memory.buffer);
    this.top = 0;
  }

  /** Where there is room for so many numbers. */
  take(/** @type {number} */ count) {
    const at = this.top;
    this.top = at + Math.ceil(count / 4) * 4;
    this.reach(this.top);
    return at;
  }

  put(/** @type {ArrayLike<number>} */ values) {
    const at = this.take(values.length);
    this.floats.set(values, at);
    return at;
  }

  /** Grow, so that number `count - 1` can be written. */
  reach(/** @type {number} */ count) {
    const missing = count * BYTES - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / 65536));
    } catch {
      fail("the network needs more memory than this page has; take a smaller picture");
    }
    this.floats = new Float32Array(this.memory.buffer);
  }
}

/** @returns {Tensor} */
function tensor(/** @type {number} */ c, /** @type {number} */ h, /** @type {number} */ w) {
  return { c, h, w, need: /** @type {any} */ (null), at: 0, grad: 0 };
}

const like = (/** @type {Tensor} */ x) => tensor(x.c, x.h, x.w);
const stride = (/** @type {Tensor} */ x) => Math.ceil(x.c / 4) * 4; // from pixel to pixel
const breadth = (/** @type {Tensor} */ x) => x.need[3] - x.need[2];
const numbers = (/** @type {Tensor} */ x) => (x.need[1] - x.need[0]) * breadth(x) * stride(x);
const flat = (/** @type {Tensor} */ x) => x.h === 1 && x.w === 1; // one value a channel, for all pixels

/** Where the channels of a pixel begin, counted from `start`. */
function place(/** @type {Tensor} */ x, /** @type {number} */ row, /** @type {number} */ column, start = 0) {
  if (flat(x)) return start;
  return start + ((row - x.need[0]) * breadth(x) + column - x.need[2]) * stride(x);
}

/** The smallest rectangle that holds both. @returns {Rectangle} */
function union(/** @type {Rectangle | null} */ a, /** @type {Rectangle} */ b) {
  if (!a) return b;
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.max(a[3], b[3])];
}

/** What of a rectangle lies in the picture. @returns {Rectangle} */
function within(/** @type {Rectangle} */ [r0, r1, c0, c1], /** @type {Tensor} */ { h, w }) {
  return [Math.max(0, r0), Math.min(h, r1), Math.max(0, c0), Math.min(w, c1)];
}

const same = (/** @type {Rectangle} */ need) => need;
const everything = () => /** @type {Rectangle} */ ([-Infinity, Infinity, -Infinity, Infinity]);

/** Call back for each needed pixel of y: (where in y, where in a, where in b). */
function pixels(
  /** @type {Tensor} */ y,
  /** @type {Tensor[]} */ [a, b],
  /** @type {(at: number, i: number, j: number) => void} */ visit,
) {
  const [r0, r1, c0, c1] = y.need;
  for (let r = r0; r < r1; r++) {
    for (let c = c0; c < c1; c++) visit(place(y, r, c), a ? place(a, r, c) : 0, b ? place(b, r, c) : 0);
  }
}

/** … for each run of numbers of y, and the same run of x: (where in y, where in x, how many). */
function runs(
  /** @type {Tensor} */ y,
  /** @type {Tensor} */ x,
  /** @type {(at: number, i: number, count: number) => void} */ visit,
) {
  if (y.c % 4) return pixels(y, [x], (at, i) => visit(at, i, y.c)); // what fills up stays zero
  const [r0, r1, c0] = y.need;
  for (let r = r0; r < r1; r++) visit(place(y, r, c0), place(x, r, c0), breadth(y) * y.c);
}

/** The needed rectangle as (c, rows, columns), from numbers that begin at `start`. */
function read(/** @type {Float32Array} */ floats, /** @type {Tensor} */ x, /** @type {number} */ start) {
  const out = new Float32Array(x.c * (x.need[1] - x.need[0]) * breadth(x));
  planar(x, start, (at, i) => { out[i] = floats[at]; });
  return out;
}

/** … and there. */
function write(
  /** @type {Float32Array} */ floats,
  /** @type {Tensor} */ x,
  /** @type {number} */ start,
  /** @type {ArrayLike<number>} */ values,
) {
  planar(x, start, (at, i) => { floats[at] = values[i]; });
}

/** Call back for each number: (where it is, its place among those of (c, rows, columns)). */
function planar(
  /** @type {Tensor} */ x,
  /** @type {number} */ start,
  /** @type {(at: number, i: number) => void} */ visit,
) {
  const [r0, r1, c0, c1] = x.need;
  let i = 0;
  for (let n = 0; n < x.c; n++) {
    for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) visit(place(x, r, c, start) + n, i++);
  }
}

/** A rectangle of (c, h, w) numbers as (c, rows, columns). */
function cut(
  /** @type {Float32Array} */ numbers,
  /** @type {Tensor} */ { c, h, w },
  /** @type {Rectangle} */ [r0, r1, c0, c1],
) {
  const out = new Float32Array(c * (r1 - r0) * (c1 - c0));
  for (let n = 0, at = 0; n < c; n++) {
    for (let r = r0; r < r1; r++, at += c1 - c0) {
      out.set(numbers.subarray((n * h + r) * w + c0, (n * h + r) * w + c1), at);
    }
  }
  return out;
}

/** … and back, with zeros around it. */
function uncut(
  /** @type {Float32Array} */ part,
  /** @type {Tensor} */ { c, h, w },
  /** @type {Rectangle} */ [r0, r1, c0, c1],
) {
  const out = new Float32Array(c * h * w);
  for (let n = 0, at = 0; n < c; n++) {
    for (let r = r0; r < r1; r++, at += c1 - c0) out.set(part.subarray(at, at + c1 - c0), (n * h + r) * w + c0);
  }
  return out;
}
