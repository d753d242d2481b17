// What of a network's tensors a rectangle of one of them needs, and where that lies in memory.

class Plan {
  /** For the rectangle `need` of y, made by `steps` of `sources`; in memory from `base` on. */
  constructor(
    /** @type {Heap} */ heap,
    /** @type {number} */ base,
    /** @type {Tensor[]} */ sources,
    /** @type {Step[]} */ steps,
    /** @type {Tensor} */ y,
    /** @type {Rectangle} */ need,
    differentiable = true,
  ) {
    const tensors = [...sources, ...steps.map((step) => step.y)];
    for (const one of tensors) one.need = /** @type {any} */ (null);
    y.need = need;
    this.heap = heap;
    this.y = y;
    /** The steps that are needed, the last one first. */
    this.backwards = [...steps].reverse().filter((step) => {
      if (step.y.need) step.xs.forEach((x, i) => ask(x, step.reach(step.y.need, i)));
      return step.y.need;
    });
    for (const source of sources) source.need ??= [0, 1, 0, 1]; // it has no influence
    const needed = tensors.filter((one) => one.need);
    heap.top = base;
    for (const one of needed) one.at = heap.take(numbers(one));
    this.gradientsAt = heap.top;
    if (differentiable) for (const one of needed) one.grad = heap.take(numbers(one));
    this.end = heap.top;
    heap.floats.fill(0, base, this.end); // what fills channels up must be a number
    const begun = new Set([y]); // gradients that something has written: the first may overwrite
    for (const step of this.backwards) {
      step.fresh = !begun.has(step.xs[0]);
      step.xs.forEach((source) => begun.add(source));
    }
  }

  /** y, of the sources as they are in memory. */
  forward() {
    for (let i = this.backwards.length - 1; i >= 0; i--) this.backwards[i].forward(this.heap);
  }

  /** The sources' gradients, of y's: planar (c, rows, columns). */
  backward(/** @type {ArrayLike<number>} */ slopes) {
    const { y, heap } = this;
    heap.floats.fill(0, this.gradientsAt, this.end);
    write(heap.floats, y, y.grad, slopes);
    for (const step of this.backwards) step.backward(heap);
  }
}

/** Of x, this rectangle is needed as well. */
function ask(/** @type {Tensor} */ x, /** @type {Rectangle | null} */ need) {
  if (need) x.need = union(x.need, within(need, x));
}
