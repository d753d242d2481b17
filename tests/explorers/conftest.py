"""The engine of attribution, loaded into an empty page."""

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
