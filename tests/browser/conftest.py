"""Looks at the built pages: the network is cut, and what goes wrong is kept account of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

LOCAL = ("file:", "data:", "blob:")
PATIENCE = 120_000  # ms; a busy machine draws slowly

FIGURES = ".srlab-figure, .srlab-widget"
DONE = """(el) => ["drawn", "failed"].some((state) => state in el.dataset)
  || el.matches(".srlab-needs-kernel")"""
DRAWN = f'() => [...document.querySelectorAll("{FIGURES}")].every({DONE})'
# What a drawn figure changes is laid out in the first frame and marked in the second.
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

# Scroll through the page, so that everything which waits to be seen is drawn; stay at what was
# passed too quickly on a busy machine.
SCROLL = f"""async () => {{
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  for (let y = 0; y < document.documentElement.scrollHeight; y += 800) {{
    scrollTo({{ top: y, behavior: "instant" }});
    await pause(10);
  }}
  for (const figure of document.querySelectorAll("{FIGURES}"))
    for (let waited = 0; !({DONE})(figure) && waited < {PATIENCE}; waited += 20) {{
      figure.scrollIntoView({{ block: "center", behavior: "instant" }});
      await pause(20);
    }}
  scrollTo({{ top: 0, behavior: "instant" }});
}}"""


@dataclass
class Visit:
    """A tab, and what the page in it asked for or complained about."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)  # that it loaded, itself left out

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def open(self, path: Path) -> "Visit":
        """Open a built page, scroll through it and wait until it is drawn."""
        for found in (self.outside, self.errors, self.files):
            found.clear()
        self.page.goto(path.as_uri())
        self.page.evaluate(SCROLL)
        self.page.wait_for_function(DRAWN)
        self.page.evaluate(FRAMES)
        self.files.discard(path)
        return self

    def _note(self, url: str) -> None:
        if not url.startswith(LOCAL):
            self.outside.append(url)
        elif url.startswith("file:"):
            self.files.add(Path(unquote(urlsplit(url).path)))


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A narrow screen and a finger."""
    with _context(browser, phone=True) as context:
        yield context


@pytest.fixture
def dark_phone(browser: Browser) -> Iterator[BrowserContext]:
    """The same at night."""
    with _context(browser, phone=True, dark=True) as context:
        yield context


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """A wide window in the light."""
    with _context(browser) as context:
        yield context


def _context(browser: Browser, *, phone: bool = False, dark: bool = False) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 900},
        color_scheme="dark" if dark else "light",
        has_touch=phone,
        is_mobile=phone,
        offline=True,
    )
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture(scope="session")
def pages(quick_book: Path) -> dict[str, Path]:
    """{place below html/book: file} of every written page."""
    book = quick_book / "_build" / "html" / "book"
    return {path.relative_to(book).as_posix(): path for path in sorted(book.rglob("*.html"))}


@pytest.fixture
def visit() -> Callable[[BrowserContext, Path], Visit]:
    """`visit(context, file)`: a built page in a new tab."""
    return lambda context, path: Visit(context.new_page()).open(path)


@pytest.fixture
def walk() -> Callable[[BrowserContext, dict[str, Path]], Iterator[tuple[str, Visit]]]:
    """`walk(context, pages)`: (place, visit) of each in one tab, which costs less than many."""

    def walk_through(context: BrowserContext, pages: dict[str, Path]):
        seen = Visit(context.new_page())
        for place, path in pages.items():
            yield place, seen.open(path)

    return walk_through
