"""The engine in an empty page, and pages that compute, from a folder and from a server."""

import functools
import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from srlab.explorers.engine import FILES, source


@pytest.fixture(scope="module")
def engine(browser: Browser) -> Iterator[Page]:
    """A page that holds all of it but the worker's messages."""
    page = browser.new_page()
    page.add_script_tag(content=source(*FILES[:-1]))
    yield page
    page.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(request, scenery):
    """Where the page in the folder `scenery[0]` is: a file, or on a plain server."""
    folder = scenery[0]
    if request.param == "file":
        yield folder.as_uri()
        return
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser, scenery):
    """visit(link, …) → the drawn page; errors fail the test at the end."""
    errors, contexts = [], []

    def open_page(link: str = "", *, base: str = scenery[0].as_uri(), width=1000, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{base}/page.html{link}")
        page.wait_for_selector("[data-drawn], [data-failed]")
        assert not page.locator("[data-failed]").all_text_contents()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
