// What is known of the pictures and networks that a reader asks for, and who finds what is not.

/** What is known already of what a reader may ask for, by the model's traits. */
function makeLedger(model, version) {
  const get = (name) => model.get(name);
  const picture = () => (get("picture") === YOURS ? `${YOURS} ${version()}` : get("picture"));
  const ledger = {
    lrs: new Map(), srs: new Map(), maps: new Map(),
    settings: () => ({ target: TARGETS[get("target")], sigma: Number(get("sigma")), ...CUTS[get("cut")] }),
    lrKey: picture,
    srKey: (network) => `${picture()}\u0000${network}`,
    mapKey: (network) => [ledger.srKey(network), get("top"), get("left"), get("target"), get("sigma"), get("cut")].join("\u0000"),
    get lr() { return ledger.lrs.get(picture()); },
    sr: (network) => ledger.srs.get(ledger.srKey(network)),
    map: (network) => ledger.maps.get(ledger.mapKey(network)),
    /** One network, or two. */
    networks: () => [...new Set([get("network"), get("beside")])].filter((name) => name !== NONE),
    /** SR pixels of this network for one of the first's, in which targets are told. */
    ratio: (network) => (ledger.sr(network)?.scale ?? 1) / (ledger.sr(get("network"))?.scale ?? ledger.sr(network)?.scale ?? 1),
    window(network) {
      const { lr } = ledger, ratio = ledger.ratio(network), size = Math.round(WINDOW * ratio);
      const scale = ledger.sr(network)?.scale ?? 4; // until it is known
      const within = (at, side) => Math.max(0, Math.min(scale * side - size - 1, Math.round(at * ratio))); // it reads one pixel more
      return { top: within(get("top"), lr.height), left: within(get("left"), lr.width), size };
    },
  };
  return ledger;
}

/** Finds what a ledger lacks: {enlarge(network), attribute(network, grown), dismiss}. `own` are the reader's networks. */
function makeComputer(ledger, networks, own) {
  const crew = makeCrew(() => asset("engine"), async (name) =>
    own.get(name) ?? fromBase64(await asset(networks.find((one) => one.name === name).file)));
  return {
    dismiss: crew.dismiss,
    async enlarge(network) {
      const key = ledger.srKey(network), lr = planar(ledger.lr);
      if (ledger.srs.has(key)) return;
      const { sr, scale } = await crew.enlarge(network, lr), [height, width] = [scale * lr.h, scale * lr.w];
      ledger.srs.set(key, { scale, height, width, planar: sr, image: imageOf(sr, height, width) });
    },
    async attribute(network, grown) {
      const key = ledger.mapKey(network), window = ledger.window(network), settings = ledger.settings();
      if (ledger.maps.has(key)) return;
      const found = await crew.attribute(network, planar(ledger.lr), window, settings, grown);
      const shown = magnitude(found.map);
      ledger.maps.set(key, { ...found, shown, di: diffusionIndex(shown), window, settings });
    },
  };
}

/** What the book has computed beforehand, {network: its map}, so that maps are seen before anything is loaded. */
async function recall(ledger, first) {
  for (const [network, { sr, roots, ...found }] of Object.entries(first)) {
    const image = await pixels(sr), { height, width } = image;
    ledger.srs.set(ledger.srKey(network), { scale: height / ledger.lr.height, height, width, image });
    ledger.maps.set(ledger.mapKey(network), { ...found, shown: Float64Array.from(fromBase64(roots), (root) => (root / 255) ** 2) });
  }
}
