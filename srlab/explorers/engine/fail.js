// How the engine refuses: with a sentence for the reader.

/** @returns {never} */
function fail(/** @type {string} */ message) {
  throw new Error(message);
}
