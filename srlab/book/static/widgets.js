// Runs the page's anywidgets without a kernel, from the modules and the state the notebook saved.
(async () => {
  const read = (kind) => document.querySelectorAll(`script[type="application/vnd.jupyter.${kind}+json"]`);
  const [saved] = read("widget-state");
  if (!saved) return;
  const { state } = JSON.parse(saved.textContent);

  // The model that a module sees: as in a notebook, but nobody answers to what it sends.
  function hosted({ state: traits, buffers = [] }) {
    const values = structuredClone(traits), listeners = {};
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      path.slice(0, -1).reduce((at, key) => at[key], values)[path.at(-1)] = new DataView(bytes.buffer);
    }
    const model = {
      inPage: true, // whose address can hold what is shown
      get: (key) => values[key],
      set(key, value) {
        if (typeof key === "object") return Object.entries(key).forEach((pair) => model.set(...pair));
        if (values[key] === value) return;
        values[key] = value;
        fire(`change:${key}`, model, value);
        fire("change", model);
      },
      on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
      off: (event, listener) => (listener ? listeners[event]?.delete(listener) : delete listeners[event]),
      save_changes() {},
      send() {},
      widget_manager: null,
    };
    const fire = (event, ...values) => [...(listeners[event] ?? [])].forEach((f) => f(...values));
    return model;
  }

  async function show(view) {
    const widget = state[JSON.parse(view.textContent).model_id];
    const el = document.createElement("div");
    el.className = "srlab-widget";
    view.after(el);
    if (!widget?.state._esm) {
      el.classList.add("srlab-needs-kernel");
      el.textContent = "This control needs a running notebook: open it in JupyterLab with make lab.";
      return;
    }
    try {
      await run(widget, el);
      el.dataset.drawn = "";
    } catch (error) {
      el.dataset.failed = "";
      el.textContent = `This control could not be drawn: ${error.message}`;
    }
  }

  async function run(widget, el) {
    const url = URL.createObjectURL(new Blob([widget.state._esm], { type: "text/javascript" }));
    const { default: made } = await import(url);
    const module = typeof made === "function" ? await made() : made;
    if (widget.state._css) {
      const style = document.createElement("style");
      style.textContent = widget.state._css;
      document.head.append(style);
    }
    const model = hosted(widget);
    await module.initialize?.({ model });
    await module.render({ model, el });
  }
  for (const view of read("widget-view")) await show(view);
})();
