"""What can be wrong with a page as it is drawn."""

SHARED = 1_300_000  # bytes of styles, scripts and fonts but plotly.js; a third is for formulas
BRIGHT = 380  # sum of R, G and B that ink exceeds in the dark and nowhere else
CHANGE = 20_000  # ms in which a page on a busy machine takes on another theme

# The ink of all words in figures and of verdicts, as RGB.
INK = """() => {
  const rgb = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const inks = (selector, name) => [...document.querySelectorAll(selector)]
    .map((el) => rgb(getComputedStyle(el)[name]));
  return [...inks(".srlab-figure .main-svg text", "fill"), ...inks(".srlab-verdict p", "color")];
}"""
# Waits until all of it is that of the dark, or should have been.
DARKENED = f"""async () => {{
  const dark = () => ({INK})().every(([r, g, b]) => r + g + b > {BRIGHT});
  for (let waited = 0; !dark() && waited < {CHANGE}; waited += 100)
    await new Promise((done) => setTimeout(done, 100));
}}"""
MUTE = """() => [...document.querySelectorAll(".srlab-figure")]
  .filter((box) => box.tabIndex !== 0 || !["img", "application"].includes(box.role)
    || !/^(?!Figure$).*[^#]$/s.test(box.ariaLabel ?? ""))
  .map((box) => `${box.role} ${box.ariaLabel}`)"""
# What scrolls sideways and does not say so.
UNTOLD = """() => [...document.querySelectorAll(".bd-article *:not(svg, svg *)")]
  .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1
    && !box.dataset.cut && ["auto", "scroll"].includes(getComputedStyle(box).overflowX))
  .map((box) => `${box.tagName} ${box.className}`)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FAILED = "[data-failed]"
TEX = ".math:not(:has(.katex)), .katex-error"


def faults(seen, place, *, dark):
    """{place and name: what is wrong} of a visited page."""
    found = {
        "outside requests": seen.outside,
        "errors": seen.errors,
        "not drawn": seen.page.locator(FAILED).all_text_contents(),
        "formulas not set": seen.page.locator(TEX).all_text_contents(),
        "bytes beside the page": max(0, weight(seen.files) - SHARED),
        "pixels too wide": seen.page.evaluate(WIDER),
        "cut without a sign": seen.page.evaluate(UNTOLD),
        "without a name or a way in": seen.page.evaluate(MUTE),
        "wrong ink": [ink for ink in seen.page.evaluate(INK) if (sum(ink) > BRIGHT) != dark],
    }
    return {f"{place}: {name}": value for name, value in found.items() if value}


def weight(files):
    return sum(file.stat().st_size for file in files if "plotly" not in file.name)
