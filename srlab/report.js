const [opacity, reveal, gamma] = ["opacity", "reveal", "gamma"].map((id) => document.getElementById(id));
const linear = Number(gamma.getAttribute("exponent"));
function show() {
  document.body.style.setProperty("--opacity", opacity.value);
  gamma.setAttribute("exponent", linear * 0.2 ** reveal.value); // at the right, the fifth root of it
}
opacity.addEventListener("input", show);
reveal.addEventListener("input", show);
show(); // a reloaded page may have kept the sliders' places
