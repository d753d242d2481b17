// Files of the book that nobody should load who does not ask for them. Each is a script that leaves
// its value in `srlabFiles`: browsers load scripts from file:// too, unlike what fetch asks for.

const loadingAssets = new Map();

/** The value that a script of the book's _static leaves under its name. */
function asset(name) {
  const root = new URL(`${document.documentElement.dataset.content_root ?? ""}_static/`, document.baseURI);
  if (!loadingAssets.has(name)) loadingAssets.set(name, new Promise((resolve, reject) => {
    const script = h("script", { src: new URL(`${name}.js`, root).href });
    script.onload = () => resolve(globalThis.srlabFiles[name]);
    script.onerror = () => {
      loadingAssets.delete(name);
      script.remove();
      reject(new Error(`This book's file ${name}.js could not be loaded.`));
    };
    document.head.append(script);
  }));
  return loadingAssets.get(name);
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function toBase64(array) {
  const bytes = bytesOf(array), parts = [];
  for (let i = 0; i < bytes.length; i += 8192) parts.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return btoa(parts.join(""));
}
