// What is shown of a network under a target: its pictures, its map, its numbers; and of two, how they differ.

/** One network's views and numbers: {el, scene, show(what), grow(share)}. */
function makeColumn(hint) {
  let shown = null;
  const scene = makeScene(hint), title = h("h4", {}), numbers = h("p", { class: "words" });
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Part of the map that is computed" });
  const name = (ending) => `lam ${shown.name} ${shown.picture}.${ending}`.replaceAll(/[^\w.]+/g, "-");
  const saving = h("span", { class: "saving" }, ...[
    ["Save picture", async () => download(name("png"), await pictureFile(scene.canvases,
      { ...shown.window, height: scene.sr.height }, `${shown.name} on ${shown.picture}: ${wordsOf(shown.found)}`))],
    ["Save numbers", () => download(name("json"), new Blob([mapFile(shown)], { type: "application/json" }))],
  ].map(([text, onclick]) => h("button", { type: "button", onclick }, text)));
  return {
    el: h("section", {}, title, scene.el, progress, h("div", { class: "told" }, numbers, saving)), scene,
    show(what) {
      const { lr, sr, window, found, values, opacity } = shown = what, image = sr?.image ?? lr, { height, width } = image;
      title.textContent = what.name;
      scene.resize(height, width, window.size);
      scene.place(window.top, window.left);
      Object.assign(scene.sr, { height, width });
      scene.sr.getContext("2d").putImageData(image, 0, 0);
      scene.draw(lr, values, opacity);
      scene.pick.setAttribute("aria-label", `SR picture of ${what.name}, target at row ${window.top}, column ${window.left}`);
      numbers.textContent = found ? wordsOf(found) : "";
      saving.hidden = !found;
      saving.lastChild.hidden = !found?.map; // the book's own map was computed beforehand
      progress.classList.add("idle");
    },
    grow(share) {
      progress.classList.toggle("idle", share === 1);
      progress.value = share;
    },
  };
}

const percent = (value) => (Number.isFinite(value) ? `${(100 * value).toPrecision(2)}\u00a0%` : "–");

const indexOf = ({ di }) => (Number.isFinite(di) ? di.toFixed(2) : "–");

/** A found map's numbers in words. */
function wordsOf({ completeness, error, values, seconds, ...found }) {
  return [`DI ${indexOf(found)}`, `completeness error ${percent(completeness)}`,
    ...(Number.isFinite(error) ? [`expected error of the map ${percent(error)}`] : []),
    ...(seconds ? [`${values.length} gradients in ${seconds.toFixed(1)}\u00a0s`] : [])].join(", ");
}

/** Where the first network looks more (orange), and where the other (blue): {el, show(a, b, height, width)}. */
function makeDifference() {
  const canvas = h("canvas", { role: "img", "aria-label": "difference of the two maps" }), words = h("p", { class: "words" });
  const sides = [[89, 180, 240], [0, 0, 0], [240, 140, 40]], ramp = sides.map((rgb) => `rgb(${rgb})`).join(",");
  const el = h("section", { class: "difference" }, h("h4", {}, "Difference of the maps"),
    h("div", { class: "view" }, canvas), rampBar("second", "first", ramp), words);
  return {
    el,
    show(a, b, height, width, names) {
      const share = (map) => { const whole = map.reduce((x, y) => x + y, 0) || 1; return map.map((value) => value / whole); };
      const [one, two] = [share(a), share(b)], difference = one.map((value, i) => value - two[i]);
      const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
      const common = one.reduce((sum, value, i) => sum + Math.min(value, two[i]), 0);
      paint(canvas, height, width, (i) => {
        const depth = Math.sqrt(Math.abs(difference[i]) / largest);
        return sides[difference[i] < 0 ? 0 : 2].map((value) => depth * value);
      });
      words.textContent = `${percent(common)} of the attribution lies on the same pixels. ` +
        `Orange: ${names[0]} relies on them more; blue: ${names[1]}.`;
    },
  };
}
