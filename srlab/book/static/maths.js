// Sets the formulas that Sphinx wrote as TeX, \(…\) in a sentence and \[…\] on a line of its own.
for (const box of document.querySelectorAll(".math")) {
  const source = [...box.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const [, open, tex] = source?.data.trim().match(/^\\([([])(.*)\\[)\]]$/s) ?? [];
  if (!open) continue;
  const set = document.createElement("span");
  katex.render(tex, set, { displayMode: open === "[" });
  source.replaceWith(set);
}
