// Plotly figures of a page: drawn when they come into view, in the theme's colours, offline,
// with thumbnails under the cursor, and by keyboard as well as by mouse.
(() => {
  const base = document.currentScript.src.replace(/[^/]*$/, "");
  const COLUMN = 110; // pixels that a column of panels needs; narrower screens scroll the figure
  const TIGHT = 560; // a figure narrower than this gets smaller margins, its legend on top
  const LETTER = 0.55; // of the font's size, a letter's width on average
  const FONT = 14, SIDES = 60; // pixels of an axis title's font, and of both margins
  const HOVER = 60; // ms after which Plotly has drawn a hover label
  const touch = matchMedia("(pointer: coarse)");
  const theme = () => document.documentElement.dataset.theme;

  let loading;
  const plotly = () => (loading ||= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = base + "plotly.min.js";
    script.onload = done;
    script.onerror = () => failed(new Error("plotly.min.js is missing beside the page"));
    document.head.append(script);
  }));

  const isObject = (value) => value && typeof value === "object" && !Array.isArray(value);
  const merged = (below, above) => {
    const result = { ...below };
    for (const [key, value] of Object.entries(above))
      result[key] = isObject(value) ? merged(isObject(below?.[key]) ? below[key] : {}, value) : value;
    return result;
  };
  const plain = (html) => new DOMParser().parseFromString(html, "text/html").body.textContent.trim();

  // A template, not a layout: what a figure sets itself stays as it is.
  function themed(own, narrow) {
    const dark = theme() === "dark";
    const [ink, faint, line, raised] = dark
      ? ["#ced6dd", "#8a939c", "#4a525c", "#2b3138"]
      : ["#323232", "#767d85", "#dfe3e8", "#f3f5f7"];
    const clear = "rgba(0,0,0,0)";
    const beside = { automargin: true, title: { standoff: 8 } }; // a title beside its labels, not on them
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line, ...beside };
    return merged(own ?? {}, {
      layout: {
        paper_bgcolor: clear, plot_bgcolor: clear, font: { color: ink }, xaxis: axis, yaxis: axis,
        legend: { bgcolor: clear, ...(narrow && { orientation: "h", y: 1.02, yanchor: "bottom" }) },
        modebar: { bgcolor: clear, color: faint, activecolor: ink },
        updatemenudefaults: { bgcolor: raised, bordercolor: line },
        sliderdefaults: { bgcolor: raised, bordercolor: line, tickcolor: line },
      },
    });
  }

  function fitted(layout, box) {
    const narrow = box.clientWidth < TIGHT;
    const result = { ...layout, autosize: true, template: themed(layout.template, narrow) };
    delete result.width;
    const rows = !layout.sliders && layout.annotations?.some(({ textangle }) => textangle === 90); // their titles
    if (narrow) result.margin = { ...layout.margin, l: 36, r: rows ? 28 : 8 };
    for (const key of narrow ? axes(layout) : []) result[key] = wrapped(layout[key], box.clientWidth);
    if (touch.matches) result.dragmode = false; // a swipe scrolls the page
    return result;
  }

  const axes = (layout) => Object.keys(layout).filter((key) => /^xaxis\d*$/.test(key));
  /** An axis whose title takes several lines where one would leave the box. */
  function wrapped(axis, width) {
    const text = axis.title?.text, [from, to] = axis.domain ?? [0, 1];
    if (!text || text.includes("<br>")) return axis;
    const most = Math.max(12, (width * (to - from) + SIDES) / (LETTER * FONT)), lines = [""];
    for (const word of text.split(" ")) {
      if (lines.at(-1) && `${lines.at(-1)} ${word}`.length > most) lines.push(word);
      else lines.push(`${lines.pop()} ${word}`.trim());
    }
    return { ...axis, title: { ...axis.title, text: lines.join("<br>") } };
  }

  // The width at which titles of panels that stand side by side do not run into each other.
  function titled(layout) {
    const panels = domains(layout).map(([from, to]) => to - from);
    if (new Set(domains(layout).map(String)).size < 2) return 0;
    const titles = (layout.annotations ?? []).filter(({ xref, yref, xanchor, yanchor }) =>
      [xref, yref].every((ref) => ref === "paper") && xanchor === "center" && yanchor === "bottom");
    const widest = Math.max(0, ...titles.map(({ text, font }) =>
      8 + LETTER * (font?.size ?? 16) * Math.max(...text.split("<br>").map((line) => plain(line).length))));
    return widest && SIDES + widest / Math.min(...panels);
  }
  const domains = (layout) => axes(layout).map((key) => layout[key].domain ?? [0, 1]);
  const columns = (layout) => new Set(domains(layout).map(([from]) => from.toFixed(2))).size;

  // One line for screen readers, shared by the page's figures.
  let line;
  function announce(text) {
    if (!line) {
      line = document.createElement("div");
      line.className = "srlab-spoken";
      line.setAttribute("aria-live", "polite");
      document.body.append(line);
    }
    line.textContent = text;
  }

  function describe(point, sprite) {
    const index = spriteIndex(point);
    const label = sprite?.labels?.[index] ?? point.text ?? point.data.name;
    if (sprite && label) return plain(String(label));
    return plain(`${point.data.name ?? ""} ${point.x ?? ""}, ${point.y ?? ""} ${point.z ?? point.text ?? ""}`);
  }
  const spriteIndex = ({ customdata }) => Array.isArray(customdata) ? customdata[0] : customdata;

  function thumbnails(graph, sprite) {
    const tip = document.createElement("div"); // words are in Plotly's own label beside it
    tip.className = "srlab-thumbnail";
    tip.setAttribute("aria-hidden", "true");
    document.body.append(tip);
    const hide = () => (tip.hidden = true);
    hide();
    const side = sprite.tile * (sprite.zoom ?? 3);
    const show = (point) => {
      const index = spriteIndex(point);
      if (!(index >= 0) || !point.bbox) return;
      Object.assign(tip.style, {
        width: `${side}px`, height: `${side}px`, backgroundImage: `url(${sprite.src})`,
        backgroundSize: `${sprite.cols * side}px auto`,
        backgroundPosition: `-${(index % sprite.cols) * side}px -${Math.floor(index / sprite.cols) * side}px`,
      });
      tip.hidden = false;
      const at = graph.getBoundingClientRect(), { x0, x1, y0 } = point.bbox;
      const left = at.left + (x0 + x1) / 2 - tip.offsetWidth / 2;
      const above = at.top + y0 - tip.offsetHeight - 14;
      tip.style.left = `${scrollX + Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${scrollY + (above >= 4 ? above : at.top + y0 + 34)}px`;
    };
    graph.on("plotly_hover", ({ points: [point] }) => show(point));
    graph.on("plotly_click", ({ points: [point] }) => show(point)); // a finger does not hover
    graph.on("plotly_unhover", hide);
    return { show, hide };
  }

  // ← → go from point to point, ↑ ↓ from trace to trace, Page Up and Down move the slider.
  function keyboard(box, graph, sprite, thumbnail) {
    const shown = () => graph.data.map((_, i) => i).filter((i) =>
      (graph.data[i].type ?? "scatter").startsWith("scatter") && graph.data[i].hoverinfo !== "skip" &&
      ![false, "legendonly"].includes(graph._fullData[i].visible));
    const slider = () => graph.layout.sliders?.[0];
    const keys = [];
    if (shown().length) keys.push("← → points, ↑ ↓ traces");
    if (slider()) keys.push("Page Up, Page Down: slider");
    box.setAttribute("role", keys.length ? "application" : "img");
    if (!keys.length) return;
    box.dataset.keys = keys.join(" · ");
    box.setAttribute("aria-description", box.dataset.keys);
    let curve, point = -1, step;

    function visit(turn, along) {
      const curves = shown();
      if (!curves.length) return;
      if (!curves.includes(curve)) [curve, point] = [curves[0], -1];
      if (!along) curve = curves.at((curves.indexOf(curve) + turn) % curves.length);
      const count = graph.calcdata[curve].length;
      point = along ? (point + turn + count) % count : Math.min(Math.max(point, 0), count - 1);
      const { xaxis = "x", yaxis = "y" } = graph.data[curve];
      Plotly.Fx.hover(graph, [{ curveNumber: curve, pointNumber: point }], [xaxis + yaxis]);
      setTimeout(arrive, HOVER); // Plotly tells nobody of points that were not found by a mouse
    }
    function arrive() {
      const [at] = graph._hoverdata ?? [];
      if (!at) return;
      thumbnail?.show(at);
      announce(describe(at, sprite));
    }
    function leave() {
      Plotly.Fx.unhover(graph);
      thumbnail?.hide();
    }
    function slide(turn) {
      const { steps, active = 0 } = slider();
      step = Math.min(Math.max((step ?? active) + turn, 0), steps.length - 1);
      Plotly.relayout(graph, { "sliders[0].active": step });
      Plotly[steps[step].method](graph, ...steps[step].args);
      announce(steps[step].label);
    }
    graph.on("plotly_sliderchange", ({ slider: { active } }) => (step = active));
    const actions = {
      ArrowRight: () => visit(1, true), ArrowLeft: () => visit(-1, true),
      ArrowDown: () => visit(1, false), ArrowUp: () => visit(-1, false),
      Escape: leave,
    };
    if (slider()) Object.assign(actions, { PageUp: () => slide(1), PageDown: () => slide(-1) });
    box.addEventListener("keydown", (event) => {
      if (event.target !== box || !actions[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      actions[event.key]();
    });
    box.addEventListener("blur", leave);
  }

  function label(box, layout) {
    const caption = box.closest("figure")?.querySelector(".caption-text");
    const title = layout.title?.text ?? layout.title;
    box.setAttribute("aria-label", plain(title || caption?.textContent || document.title));
    box.tabIndex = 0;
  }

  const recolour = (graph) => Plotly.relayout(graph, { template: themed(graph.layout.template) });
  const drawn = new Map(); // box → graph
  async function draw(box) {
    await plotly();
    const begun = theme();
    const figure = JSON.parse(box.querySelector("script").textContent);
    const layout = figure.layout ?? {}, sprite = layout.meta?.srlab?.sprite;
    const graph = document.createElement("div");
    const beside = columns(layout) > 2 ? columns(layout) * COLUMN : 0;
    const wide = Math.max(layout.meta?.srlab?.width ?? beside, titled(layout));
    graph.style.minWidth = `${wide}px`;
    box.append(graph);
    await Plotly.newPlot(graph, figure.data, fitted(layout, box), {
      displayModeBar: touch.matches ? false : "hover",
      ...figure.config, responsive: true, displaylogo: false, showSendToCloud: false,
    });
    if (figure.frames?.length) await Plotly.addFrames(graph, figure.frames);
    label(box, layout);
    keyboard(box, graph, sprite, sprite && thumbnails(graph, sprite));
    drawn.set(box, graph);
    if (theme() !== begun) await recolour(graph);
    box.style.minHeight = "";
    box.dataset.drawn = "";
  }
  function failed(box, error) {
    box.dataset.failed = "";
    box.append(`This figure could not be drawn: ${error.message}`);
  }

  const boxes = document.querySelectorAll(".srlab-figure");
  const seen = new Set();
  const once = (box) => {
    if (seen.has(box)) return;
    seen.add(box);
    draw(box).catch((error) => failed(box, error));
  };
  const watch = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => once(target)),
    { rootMargin: "600px" });
  boxes.forEach((box) => watch.observe(box));
  addEventListener("beforeprint", () => boxes.forEach(once));
  new MutationObserver(() => drawn.forEach(recolour))
    .observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
