// What a reader chooses: picture, networks, target, path, drawing.

const NONE = "no other", WINDOW = 16; // SR pixels of a target's side
const TARGETS = { // as readers see them, and as srlab.named_measure has them; "residual" is SR less bicubic
  "gradient (LAM's)": "gradient", "upright edges": "edges:0", "level edges": "edges:90", "fine detail": "band", brightness: "brightness",
  colour: "colour", "gradient of SR − bicubic": "residual",
};
const CUTS = { // of the path: steps of equal length, or as many nodes as an expected error asks
  "8 steps": { steps: 8 }, "16 steps": { steps: 16 }, "50 steps": { steps: 50 },
  "error ≤ 10 %": { steps: 0, tolerance: 0.1 }, "error ≤ 5 %": { steps: 0, tolerance: 0.05 }, "error ≤ 2 %": { steps: 0, tolerance: 0.02 },
};
const SIGMAS = ["0.6", "0.9", "1.2", "1.6", "2", "3", "4"];

/** The choices: {el, show(), addPicture, addNetwork}. */
function makeControls(model, pictures, networks, choose, receive) {
  const one = (trait, make) => make((value) => choose({ [trait]: value }));
  const labels = [...networks];
  const made = {
    picture: one("picture", (pick) => pills("Picture", pictures, pick)),
    network: one("network", (pick) => pills("Network", networks, pick)),
    beside: one("beside", (pick) => menu("Compare with", pick)),
    target: one("target", (pick) => pills("Target", Object.keys(TARGETS), pick)),
    cut: one("cut", (pick) => slider("Path", pick)),
    sigma: one("sigma", (pick) => slider("Blur of the baseline, σ in LR pixels", pick)),
    opacity: slider("Opacity of the attribution", (value) => choose({ opacity: parseInt(value) })),
    brightness: one("brightness", (pick) => pills("Brightness", Object.keys(BRIGHTNESS), pick)),
  };
  const [ownPicture, ownNetwork] = [fileButton("Your picture …", "image/*", receive), fileButton("Your ONNX file …", ".onnx", receive)];
  made.picture.el.append(...ownPicture);
  made.network.el.append(...ownNetwork);
  const group = (...own) => h("div", { class: "srlab-controls" }, ...own.map((name) => made[name].el));
  return {
    el: h("div", {}, group("picture", "network", "beside"), h("details", {}, h("summary", {}, "Target, path and drawing"),
      group("target", "cut", "sigma", "opacity", "brightness"))),
    addPicture: () => { if (!pictures.includes(YOURS)) { pictures.push(YOURS); made.picture.add(YOURS, ownPicture[0]); } },
    addNetwork(name) { labels.push(name); made.network.add(name, ownNetwork[0]); },
    show() {
      for (const name of ["picture", "network", "target", "brightness"]) made[name].show(model.get(name));
      made.beside.show([NONE, ...labels.filter((name) => name !== model.get("network"))], model.get("beside"));
      made.cut.show(Object.keys(CUTS), model.get("cut"));
      made.sigma.show(SIGMAS, model.get("sigma"));
      made.opacity.show(PERCENT, PERCENT[Math.round(model.get("opacity") / 5)]);
    },
  };
}
