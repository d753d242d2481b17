"""What scrolls sideways says so, whatever the sign itself does to the box."""

import pytest

BOXES = "\n".join(
    f'<pre style="width: {width}px; padding: 16px; overflow: auto; font: 16px monospace">'
    "sixteen letters.\n</pre>"
    for width in range(120, 180)
)
CUT = """() => new Promise((done) => {
  dispatchEvent(new Event("load"));
  requestAnimationFrame(() => requestAnimationFrame(() => done(
    [...document.querySelectorAll("pre")].map((box) => "cut" in box.dataset))));
})"""


@pytest.fixture
def page(desk, repository, tmp_path):
    static = repository / "srlab" / "book" / "static"
    path = tmp_path / "page.html"
    path.write_text(
        f'<!doctype html><link rel="stylesheet" href="{static / "srlab.css"}">'
        f'<div class="bd-article">{BOXES}</div><script src="{static / "edges.js"}"></script>'
    )
    page = desk.new_page()
    page.goto(path.as_uri())
    return page


def test_a_box_that_is_hardly_too_narrow_is_marked_and_stays_so(page):
    unmarked = page.evaluate(
        """[...document.querySelectorAll("pre")].map((box) => {
          delete box.dataset.cut;
          return box.scrollWidth > box.clientWidth + 1;
        })"""
    )
    assert True in unmarked
    assert False in unmarked
    for _ in range(3):
        assert page.evaluate(CUT) == unmarked
