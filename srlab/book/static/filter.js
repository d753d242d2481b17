// The scoreboard shows what fits the words and the verdict that a reader asks for.
const form = document.querySelector(".srlab-filter");
const findings = [...document.querySelectorAll(".srlab-finding")];
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
  const words = form.querySelector("[type=search]").value.toLowerCase().split(/\s+/);
  const verdict = form.elements.verdict.value;
  for (const finding of findings) {
    const said = finding.textContent.toLowerCase();
    finding.hidden = !(words.every((word) => said.includes(word)) && [finding.dataset.verdict, ""].includes(verdict));
  }
  for (const section of document.querySelectorAll(".srlab-scoreboard section")) {
    section.hidden = !section.querySelector(".srlab-finding:not([hidden])");
  }
  const shown = findings.filter((finding) => !finding.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${findings.length} findings`;
});
