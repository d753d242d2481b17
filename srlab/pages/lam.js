const [opacity, reveal, zoom, shared, signs] = ["opacity", "reveal", "zoom", "shared", "signs"]
  .map((id) => document.getElementById(id));
const gammas = document.querySelectorAll(".gamma");
const linear = Number(gammas[0].getAttribute("exponent"));
function show() {
  const power = 0.2 ** reveal.value; // at the right, the fifth root
  for (const gamma of gammas) gamma.setAttribute("exponent", linear * power);
  document.body.classList.toggle("signed", signs.checked);
  document.body.style.setProperty("--zoom", zoom?.value ?? 1);
  for (const overlay of document.querySelectorAll(".overlay")) {
    const scale = shared?.checked ? Number(overlay.dataset.share) : 1; // of the largest of all maps
    overlay.style.opacity = opacity.value * scale ** power;
  }
}
for (const control of [opacity, reveal, zoom, shared, signs]) control?.addEventListener("input", show);
show(); // a reloaded page may have kept the controls' places
