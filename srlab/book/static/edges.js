// What scrolls sideways says so: `data-cut` names the sides at which there is more to see.
(() => {
  const page = document.querySelector(".bd-article");
  if (!page) return;

  function mark(boxes) { // all are read between the writes, so that the page is laid out once
    boxes.forEach((box) => delete box.dataset.cut); // its line below a box changes how wide that is
    const cuts = boxes.map(cut);
    boxes.forEach((box, i) => cuts[i] === undefined || (box.dataset.cut = cuts[i]));
  }
  function cut(box) {
    const rest = box.scrollWidth - box.clientWidth;
    if (rest <= 1 || !/auto|scroll/.test(getComputedStyle(box).overflowX)) return undefined;
    const left = box.scrollLeft;
    return [left > 1 && "start", rest - left > 1 && "end"].filter(Boolean).join(" ");
  }
  let asked;
  function markAll() {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => mark([...page.querySelectorAll(":not(svg, svg *, .katex *)")]));
  }

  page.addEventListener("scroll", ({ target }) => mark([target]), true);
  addEventListener("load", markAll);
  document.fonts.ready.then(markAll);
  new ResizeObserver(markAll).observe(page); // also when a part of it opens
  new MutationObserver(markAll).observe(page, { subtree: true, attributeFilter: ["data-drawn"] });
})();
