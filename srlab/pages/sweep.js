const dark = matchMedia("(prefers-color-scheme: dark)");
function dress() {
  const style = getComputedStyle(document.body);
  const [ink, line] = ["--ink", "--line"].map((name) => style.getPropertyValue(name).trim());
  for (const graph of document.querySelectorAll(".plotly-graph-div")) {
    const axes = Object.keys(graph.layout).filter((key) => /^[xy]axis/.test(key));
    const lines = axes.map((axis) => [`${axis}.gridcolor`, line]);
    Plotly.relayout(graph, { "font.color": ink, ...Object.fromEntries(lines) });
  }
}
dark.addEventListener("change", dress);
dress();
