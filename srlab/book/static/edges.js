// What scrolls sideways says so: `data-cut` names the sides at which there is more to see.
(() => {
  const page = document.querySelector(".bd-article");
  if (!page) return;

  function mark(box) {
    delete box.dataset.cut; // its line below a box changes how wide the box's content is
    const rest = box.scrollWidth - box.clientWidth, left = box.scrollLeft;
    const scrolls = rest > 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (scrolls) box.dataset.cut = [left > 1 && "start", rest - left > 1 && "end"].filter(Boolean).join(" ");
  }
  let asked;
  function markAll() {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => page.querySelectorAll(":not(svg, svg *, .katex *)").forEach(mark));
  }

  page.addEventListener("scroll", ({ target }) => mark(target), true);
  addEventListener("load", markAll);
  document.fonts.ready.then(markAll);
  new ResizeObserver(markAll).observe(page); // also when a part of it opens
  new MutationObserver(markAll).observe(page, { subtree: true, attributeFilter: ["data-drawn"] });
})();
