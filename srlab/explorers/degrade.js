// A picture made worse as srlab's Degradation does it: blurred, made noisy, compressed.

/** Normally distributed numbers, the same at every call: a slider of noise scales one draw. */
function normals(count) {
  let state = 1;
  const uniform = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** A picture (RGBA) after a blur of σ pixels and noise of σ / 255, in 8 bits; then as a JPEG of a quality, unless that is 0. */
async function degraded(image, { blur, noise, quality }) {
  const { data, h: height, w: width } = planar(image);
  const soft = blur ? blurred(data, height, width, blur, 2 * Math.ceil(4 * blur) + 1) : data;
  const grain = noise ? normals(soft.length) : soft;
  const made = imageOf(soft.map((value, i) => value + (noise / 255) * grain[i]), height, width);
  return quality ? compressed(made, quality / 100) : made;
}

/** … as this browser writes and reads JPEG. */
async function compressed(image, quality) {
  const { height, width } = image, canvas = h("canvas", { height, width });
  canvas.getContext("2d").putImageData(image, 0, 0);
  const file = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
  return pixelsOf(await createImageBitmap(file), { top: 0, left: 0, height, width }, Infinity);
}
