// The engine at work: workers that run a network beside the page.

/** Why an answer never came: the reader asked for something else, or for nothing. */
class Stopped extends Error {}

const WORKERS = Math.min(4, Math.max(1, (navigator.hardwareConcurrency ?? 2) - 1));

/** A picture (RGBA) as networks take it: planar, in [0, 1]. */
function planar({ data, height, width }) {
  const n = height * width;
  return { h: height, w: width, data: Float32Array.from({ length: 3 * n }, (_, i) => data[4 * (i % n) + Math.floor(i / n)] / 255) };
}

/** A planar picture as RGBA. */
function imageOf(values, height, width) {
  const image = new ImageData(width, height), n = height * width;
  for (let i = 0; i < n; i++) image.data.set([0, 1, 2].map((c) => 255 * values[c * n + i]).concat(255), 4 * i);
  return image;
}

/**
 * Workers, `count` of them, that answer one question at a time, the newest: {enlarge, attribute, dismiss}.
 * They are made when first needed, from the engine's text: at file:// no script's address would do.
 */
function makeCrew(engine, networkBytes, count = WORKERS) {
  let team = null, job = 0, question = null;

  const hired = (address) => new Promise((resolve, reject) => {
    const worker = new Worker(address);
    worker.onerror = ({ message }) => reject(new Error(message || "This browser does not let the page start workers."));
    worker.onmessage = () => { // it is ready
      worker.onmessage = ({ data }) => receive(data, worker);
      worker.onerror = ({ message }) => question?.reject(new Error(message));
      resolve(worker);
    };
  });
  async function hire() {
    const address = URL.createObjectURL(new Blob([await engine()], { type: "text/javascript" }));
    return { taught: new Set(), workers: await Promise.all(Array.from({ length: count }, () => hired(address))) };
  }
  function receive(data, worker) {
    if (data.job !== question?.job) return;
    const { job: own, name, hear, resolve, reject } = question;
    if (data.kind === "failed") reject(new Error(data.message));
    else hear(data, resolve, (message) => worker.postMessage({ job: own, name, ...message }));
  }

  /** Resolves to what hear(answer, resolve, reply) makes of the answers to messages(workers). */
  async function ask(name, messages, hear) {
    const mine = ++job;
    question?.reject(new Stopped());
    const answer = new Promise((resolve, reject) => { question = { job: mine, name, resolve, reject, hear }; });
    answer.catch(() => {}); // it is awaited below, unless loading fails first
    team ??= hire();
    const { workers, taught } = await team.catch((error) => { team = null; throw error; });
    if (!taught.has(name)) {
      const bytes = await networkBytes(name);
      if (!taught.has(name)) for (const worker of workers) worker.postMessage({ kind: "network", name, bytes });
      taught.add(name);
    }
    if (mine === job) messages(workers).forEach((message, k) => workers[k].postMessage({ job, name, ...message }));
    return answer;
  }

  return {
    /** {sr (planar), scale, features (planar; where the network's file names some)} of a planar picture. */
    enlarge: (name, lr) => ask(name, () => [{ kind: "enlarge", lr }], ({ sr, scale, features }, done) => done({ sr, scale, features })),

    /** What `srlab.lam` finds at a window (top, left, size); grown(map, share done) as it grows. */
    attribute(name, lr, window, { target, sigma, steps, tolerance }, grown) {
      const began = performance.now(), integral = new Integral(deblurring(lr, sigma), { steps, tolerance });
      const task = (positions) => ({ kind: "differentiate", lr, window, target, sigma, positions });
      let idle = [];
      return ask(name, (workers) => workers.map(() => task(integral.wanted())), ({ position, value, gradient }, done, worker) => {
        integral.add(position, { value, gradient });
        const found = integral.result();
        if (integral.done) return done({ ...found, fractions: integral.fractions, seconds: (performance.now() - began) / 1000,
          values: integral.known().map((node) => node.value) });
        grown(found.map, progressOf(integral, found));
        idle = [...idle, worker].filter((one) => { // whoever finds nothing wanted waits for the next answer
          const positions = integral.wanted();
          if (positions.length) one(task(positions));
          return !positions.length;
        });
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

/** How much of an integral is done, 0 … 1: of its steps, or of the way to its tolerance. */
function progressOf({ steps, tolerance, found }, { error }) {
  const begun = found.size / (steps ? steps + 2 : LEAST + 1);
  return steps || begun < 1 ? Math.min(1, begun) : Math.min(0.99, tolerance / error);
}
