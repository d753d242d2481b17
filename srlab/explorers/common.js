// Shared by the explorers: Python puts it in front of each module, so that a saved page needs one file.

const SVG = "http://www.w3.org/2000/svg";
const uid = () => "srlab-" + Math.random().toString(36).slice(2);
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const bytesOf = (data) =>
  new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);

/** An element: h("button", {class: "x", onclick: f}, "text"); "svg:path" makes an SVG one. */
function h(tag, attributes = {}, ...children) {
  const el = tag.startsWith("svg:")
    ? document.createElementNS(SVG, tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) el.setAttribute(name, value === true ? "" : value);
  }
  el.append(...children);
  return el;
}

/** One of a few options as native radio buttons; returns {el, show(value), add(value, before)}. */
function pills(title, options, pick) {
  const name = uid(), inputs = new Map();
  const el = h("fieldset", { class: "srlab-pills" }, h("legend", {}, title));
  function add(value, before = null) {
    inputs.set(value, h("input", { type: "radio", name, value, onchange: () => pick(value) }));
    el.insertBefore(h("label", {}, inputs.get(value), h("span", {}, value)), before);
  }
  for (const value of options) add(value);
  return { el, add, show: (value) => inputs.forEach((input, own) => (input.checked = own === value)) };
}

/** One of many options as a native menu; returns {el, show(options, value)}. */
function menu(title, pick) {
  const select = h("select", { onchange: () => pick(select.value) });
  return {
    el: h("label", { class: "srlab-menu" }, title, select),
    show(options, value) {
      select.replaceChildren(...options.map((own) => h("option", { value: own, selected: own === value }, own)));
    },
  };
}

/** An ordered choice as a native range input; returns {el, show(options, value)}. */
function slider(title, pick, ...beside) {
  const id = uid();
  let options = [];
  const output = h("output", { for: id });
  const input = h("input", { type: "range", id, min: 0, step: 1,
    oninput: () => pick(options[+input.value]) });
  const el = h("div", { class: "srlab-slider" },
    h("label", { for: id }, title), output, h("div", {}, input, ...beside));
  return {
    el,
    show(values, value) {
      options = values;
      input.max = options.length - 1;
      input.value = options.indexOf(value);
      input.disabled = options.length < 2;
      input.setAttribute("aria-valuetext", value);
      output.textContent = value;
    },
  };
}

/** A line of words below the figure: {el, say(text), busy(text), fail(text)}. */
function statusLine() {
  const el = h("p", { class: "srlab-status", role: "status" });
  const put = (kind) => (text = "") => {
    el.dataset.kind = kind;
    el.textContent = text;
  };
  return { el, say: put("note"), busy: put("busy"), fail: put("error") };
}

/**
 * The line to Python. Nothing in a saved state can tell whether a kernel is there, so ask:
 * `changed()` is called once one answers. ask(request) → Promise of {content, buffers}.
 */
function connect(model, changed, patience = 60_000) {
  const waiting = new Map();
  let computes = false;
  const receive = (content, buffers) => {
    if (content?.kind === "pong") {
      if (computes !== content.computes) { computes = content.computes; changed(); }
      return;
    }
    const settle = waiting.get(content?.id);
    if (!settle) return;
    waiting.delete(content.id);
    settle(content, buffers);
  };
  const send = (content) => { try { model.send(content); } catch { /* nobody there */ } };
  model.on("msg:custom", receive);
  send({ kind: "ping" });
  const again = setTimeout(() => computes || send({ kind: "ping" }), 3000);
  return {
    get computes() { return computes; },
    ask: (request) => new Promise((resolve, reject) => {
      const id = uid();
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error("No answer from the kernel: it may be busy with another cell, or gone."));
      }, patience);
      waiting.set(id, (content, buffers) => {
        clearTimeout(timer);
        if (content.kind === "error") reject(new Error(content.message));
        else resolve({ content, buffers });
      });
      send({ kind: "compute", id, request });
    }),
    close() { clearTimeout(again); model.off("msg:custom", receive); },
  };
}

/** One question at a time, the newest wins: ask({key, request}) → done(key, answer) or failed(error). */
function newestOnly(kernel, { started, done, failed }) {
  let wanted = null, running = false;
  return async function ask(question) {
    wanted = question;
    if (running) return;
    running = true;
    while (wanted) {
      const now = wanted;
      started(now);
      try {
        done(now, await kernel.ask(now.request));
        if (wanted === now) wanted = null;
      } catch (error) {
        if (wanted === now) { wanted = null; failed(error); }
      }
    }
    running = false;
  };
}

/** Call refresh once after any of these traits changed, however many did; returns what ends it. */
function follow(model, traits, refresh) {
  const events = traits.map((name) => "change:" + name);
  let queued = false;
  const changed = () => {
    if (queued) return;
    queued = true;
    queueMicrotask(() => { queued = false; refresh(); });
  };
  events.forEach((name) => model.on(name, changed));
  return () => events.forEach((name) => model.off(name, changed));
}

// ---- a page's address holds what is shown: #explorer&network=EDSR&top=96

const oneOf = (values) => (text) => (values.includes(text) ? text : undefined);
const wholeUpTo = (most) => (text) => (/^\d+$/.test(text) && +text <= most ? +text : undefined);
const numberWithin = (least, most) => (text) =>
  (text.trim() && +text >= least && +text <= most ? +text : undefined);

/**
 * Keep traits in the page's address, and a button that copies it: {el, close}.
 * `readers` are {trait: text → value, or undefined where that is none}. Of several explorers the
 * address holds the one that was moved last. `?embed` shows an explorer alone. `withheld()` says why
 * there can be no address, where it depends on what only this reader has. A model that lives in a
 * notebook has no address at all: el is empty.
 */
function permalink(model, root, readers, withheld = () => "") {
  if (!model.inPage) return { el: "", close() {} };
  const before = document.querySelectorAll("[data-permalink]").length;
  root.id = `explorer${before ? `-${before + 1}` : ""}`;
  root.dataset.permalink = "";
  const [names, bare] = [Object.keys(readers), () => location.pathname + location.search];
  const address = () => {
    const texts = names.map((name) => [name, String(model.get(name))]);
    return `${bare()}#${root.id}&${new URLSearchParams(texts.filter(([name, text]) => readers[name](text) !== undefined))}`;
  };
  const [addressed] = location.hash.slice(1).split("&", 1);
  function arrive() {
    const [id, ...told] = location.hash.slice(1).split("&");
    if (id !== root.id) return;
    for (const [name, text] of new URLSearchParams(told.join("&"))) {
      const value = readers[name]?.(text);
      if (value !== undefined) model.set(name, value);
    }
    requestAnimationFrame(() => root.scrollIntoView());
  }
  let soon = 0; // browsers allow few changes a second
  const unfollow = follow(model, names, () => {
    clearTimeout(soon);
    if (navigator.userActivation?.hasBeenActive === false) return; // it was no reader who moved it
    soon = setTimeout(() => history.replaceState(null, "", withheld() ? bare() : address()), 300);
  });
  const alone = new URLSearchParams(location.search).has("embed");
  if (alone && (addressed.startsWith("explorer") ? addressed === root.id : !before)) {
    document.documentElement.classList.add("srlab-embed");
    root.classList.add("srlab-embedded");
  }
  addEventListener("hashchange", arrive);
  arrive();
  return {
    el: copyButton("Copy link to this view", () => new URL(address(), location.href).href, withheld),
    close() { clearTimeout(soon); removeEventListener("hashchange", arrive); unfollow(); },
  };
}

/** A button that copies a text; where the browser forbids that, the text stands there to be copied. */
function copyButton(title, text, withheld) {
  const told = h("span", { role: "status" });
  async function copy() {
    told.textContent = withheld();
    if (withheld()) return;
    try {
      await navigator.clipboard.writeText(text());
      told.textContent = "Copied.";
    } catch {
      const field = h("input", { readonly: true, value: text(), "aria-label": "The link" });
      told.replaceChildren(field);
      field.select();
    }
  }
  return h("p", { class: "srlab-share" }, h("button", { type: "button", onclick: copy }, title), told);
}
