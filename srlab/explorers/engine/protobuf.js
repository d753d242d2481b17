// Reads protocol buffers, the form of ONNX files: numbered fields of whole numbers or bytes.

const DAMAGED = "this is no ONNX file, or a damaged one";

/** @typedef {Map<number, (number | Uint8Array)[]>} Fields */
/** @typedef {{bytes: Uint8Array, at: number}} Reader */

/** Field number → its values: whole numbers as such, all else as bytes. @returns {Fields} */
function fieldsOf(/** @type {Uint8Array} */ bytes) {
  const fields = new Map();
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const key = varint(reader);
    const kind = key & 7;
    /** @type {number | Uint8Array} */
    let value = 0;
    if (kind === 0) value = varint(reader);
    else {
      const size = kind === 2 ? varint(reader) : ({ 1: 8, 5: 4 }[kind] ?? NaN);
      const end = reader.at + size;
      if (!(size >= 0 && end <= bytes.length)) fail(DAMAGED);
      value = bytes.subarray(reader.at, end);
      reader.at = end;
    }
    if (!fields.has(key >> 3)) fields.set(key >> 3, []);
    fields.get(key >> 3).push(value);
  }
  return fields;
}

function varint(/** @type {Reader} */ reader) {
  let [value, shift] = [0n, 0n];
  for (;;) {
    const byte = reader.bytes[reader.at++] ?? fail(DAMAGED);
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (!(byte & 128)) return Number(BigInt.asIntN(64, value));
  }
}

/** The messages of a field, read. */
const messages = (/** @type {Fields} */ fields, /** @type {number} */ field) =>
  bytesOf(fields, field).map(fieldsOf);
const bytesOf = (/** @type {Fields} */ fields, /** @type {number} */ field) =>
  (fields.get(field) ?? []).map((value) => (value instanceof Uint8Array ? value : fail(DAMAGED)));
const words = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes);
const wordsIn = (/** @type {Fields} */ fields, /** @type {number} */ field) =>
  words(bytesOf(fields, field).at(-1) ?? new Uint8Array());
const numberIn = (/** @type {Fields} */ fields, /** @type {number} */ field) =>
  Number(fields.get(field)?.at(-1) ?? 0);
const viewOf = (/** @type {Uint8Array} */ bytes) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Repeated whole numbers, packed into bytes or one by one. @returns {number[]} */
function wholeNumbers(/** @type {Fields} */ fields, /** @type {number} */ field) {
  return (fields.get(field) ?? []).flatMap((value) => {
    if (typeof value === "number") return [value];
    const reader = { bytes: value, at: 0 };
    const found = [];
    while (reader.at < value.length) found.push(varint(reader));
    return found;
  });
}

/** @returns {number[]} */
function floatsIn(/** @type {Fields} */ fields, /** @type {number} */ field) {
  return bytesOf(fields, field).flatMap((bytes) =>
    Array.from({ length: bytes.length / 4 }, (_, i) => viewOf(bytes).getFloat32(4 * i, true)),
  );
}
