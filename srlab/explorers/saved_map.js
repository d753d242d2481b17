// A map as files: a picture of it, and all its numbers for Python (srlab.attribution.map_files).

function download(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const bytes8 = (values) => toBase64(Uint8Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(255 * value)))));

/** The JSON that `read_map` of srlab.attribution.map_files reads: pictures in 8 bits, the map in float32, planar. */
function mapFile({ name, picture, lr, sr, found }) {
  const { map, shown: _shown, ...numbers } = found;
  return JSON.stringify({
    format: "srlab map 1", network: name, picture, ...numbers,
    lr: { height: lr.height, width: lr.width, bytes: bytes8(planar(lr).data) },
    sr: { height: sr.height, width: sr.width, bytes: bytes8(sr.planar) },
    map: toBase64(Float32Array.from(map)),
  });
}

/** Views side by side with a line of words below, as a PNG. */
async function pictureFile(canvases, { top, left, size, height }, words) {
  const side = 320, gap = 12, text = 28;
  const width = Math.round((side * canvases[0].width) / canvases[0].height);
  const canvas = h("canvas", { width: canvases.length * (width + gap) - gap, height: side + text });
  const pen = canvas.getContext("2d"), unit = side / height;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  canvases.forEach((own, i) => {
    pen.drawImage(own, i * (width + gap), 0, width, side);
    for (const [style, line] of [["#000", 4], ["#fff", 2]]) {
      Object.assign(pen, { strokeStyle: style, lineWidth: line });
      pen.strokeRect(i * (width + gap) + unit * left, unit * top, unit * size, unit * size);
    }
  });
  Object.assign(pen, { fillStyle: "#222", font: "14px system-ui, sans-serif" });
  pen.fillText(words, 0, side + 20, canvas.width);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
