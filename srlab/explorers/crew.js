// The engine at work: workers that run a network beside the page.

/** Why an answer never came: the reader asked for something else, or for nothing. */
class Stopped extends Error {}

const WORKERS = Math.min(4, Math.max(1, (navigator.hardwareConcurrency ?? 2) - 1));

/** A picture (RGBA) as networks take it: planar, in [0, 1]. */
function planar({ data, height, width }) {
  const n = height * width;
  return { h: height, w: width, data: Float32Array.from({ length: 3 * n }, (_, i) => data[4 * (i % n) + Math.floor(i / n)] / 255) };
}

/**
 * Workers that answer one question at a time, the newest: {enlarge, attribute, dismiss}. They are
 * made when first needed, from the engine's text: at file:// no script's address would do.
 */
function makeCrew(engine, networkBytes) {
  let team = null, job = 0, question = null;

  const hired = (address) => new Promise((resolve, reject) => {
    const worker = new Worker(address);
    worker.onerror = ({ message }) => reject(new Error(message || "This browser does not let the page start workers."));
    worker.onmessage = () => { // it is ready
      worker.onmessage = ({ data }) => receive(data);
      worker.onerror = ({ message }) => question?.reject(new Error(message));
      resolve(worker);
    };
  });
  async function hire() {
    const address = URL.createObjectURL(new Blob([await engine()], { type: "text/javascript" }));
    return { taught: new Set(), workers: await Promise.all(Array.from({ length: WORKERS }, () => hired(address))) };
  }
  function receive(data) {
    if (data.job !== question?.job) return;
    if (data.kind === "failed") question.reject(new Error(data.message));
    else question.hear(data, question.resolve);
  }

  /** Resolves to what hear(answer, resolve) makes of the answers to messages(workers). */
  async function ask(name, messages, hear) {
    const mine = ++job;
    question?.reject(new Stopped());
    const answer = new Promise((resolve, reject) => { question = { job: mine, resolve, reject, hear }; });
    answer.catch(() => {}); // it is awaited below, unless loading fails first
    team ??= hire();
    const { workers, taught } = await team.catch((error) => { team = null; throw error; });
    if (!taught.has(name)) {
      const bytes = await networkBytes(name);
      if (!taught.has(name)) for (const worker of workers) worker.postMessage({ kind: "network", name, bytes });
      taught.add(name);
    }
    if (mine === job) messages(workers.length).forEach((message, k) => workers[k].postMessage({ job, name, ...message }));
    return answer;
  }

  return {
    /** {sr (planar), scale} of a planar picture. */
    enlarge: (name, lr) => ask(name, () => [{ kind: "enlarge", lr }], ({ sr, scale }, done) => done({ sr, scale })),

    /** What srlab.lam finds; grown(map, share done) as it grows. */
    attribute(name, lr, window, settings, grown) {
      const STEPS = 16, steps = [-1, ...Array(STEPS).keys(), STEPS], began = performance.now();
      const found = { products: [], values: [], done: 0, map: new Float32Array(lr.data.length) };
      return ask(name, (count) => Array.from({ length: count }, (_, k) => ({
        kind: "attribute", lr, window, steps: steps.filter((_step, i) => i % count === k) })), ({ i, product, value }, done) => {
        found.values[i + 1] = value;
        if (product) found.products[i] = product;
        product?.forEach((share, j) => { found.map[j] += share; });
        grown(found.map, ++found.done / steps.length);
        if (found.done === steps.length) done({ ...summed(found), seconds: (performance.now() - began) / 1000 });
      });
    },

    /** Stop whatever they do; they are made anew when needed. */
    dismiss() {
      job++;
      question?.reject(new Stopped());
      team?.then(({ workers }) => workers.forEach((worker) => worker.terminate()), () => {});
      team = null;
    },
  };
}

function summed({ products, values }) {
  const map = new Float32Array(products[0].length); // in order, whoever was first
  for (const product of products) product.forEach((share, j) => { map[j] += share; });
  return { map, start: values[0], end: values.at(-1), values: values.slice(1, -1),
    contributions: products.map((product) => product.reduce((a, b) => a + b)) };
}
