"""What a reader does in the book: moves, hovers, presses keys, searches."""

from itertools import product

import pytest
from faults import BRIGHT, DARKENED, INK, WIDER

from srlab.book.project import find_notebooks

LIMIT = 1_500_000  # bytes of a page before what it shares with others
THUMBNAIL = ".srlab-thumbnail:visible"  # each figure of patches has one
SPOKEN = ".srlab-spoken[aria-live]"  # what figures say; the sidebar's signs have words too
SAYS_MORE = f"""(before) => ![before, ""].includes(
  document.querySelector("{SPOKEN}").innerText)"""

# Night falls while the first figure is drawn.
DUSK = """new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.matches(".srlab-figure")))
    document.documentElement.dataset.theme = "dark";
}).observe(document, { childList: true, subtree: true })"""


def test_every_notebook_runs_and_the_book_compiles(quick_book, repository):
    told = (quick_book / "told.txt").read_text()
    for notebook in find_notebooks(repository):
        assert f"{notebook.name} " in told
        assert (quick_book / "_build/html/book/findings" / f"{notebook.name}.html").is_file()


def test_pages_are_small(pages):
    sizes = {place: path.stat().st_size for place, path in pages.items()}
    assert {place: size for place, size in sizes.items() if size > LIMIT} == {}


def test_figures_answer_to_the_mouse_and_the_keyboard(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/global_residual.html"]).page
    figure, thumbnail = page.locator(".srlab-figure").first, page.locator(THUMBNAIL)
    assert not thumbnail.is_visible()

    figure.locator(".point").first.hover(force=True)
    thumbnail.wait_for()
    assert thumbnail.bounding_box()["width"] > 40
    assert "data:image" in thumbnail.evaluate("(el) => el.style.backgroundImage")
    page.mouse.move(0, 0)
    thumbnail.wait_for(state="hidden")

    figure.focus()
    spoken = [""]  # what the mouse met may be said again
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        thumbnail.wait_for()
        page.wait_for_function(SAYS_MORE, arg=spoken[-1])
        spoken.append(page.locator(SPOKEN).inner_text())
    assert all(spoken[1:])
    assert spoken[4] == spoken[2]  # down and up again
    page.keyboard.press("Escape")
    thumbnail.wait_for(state="hidden")


def test_figures_answer_to_a_finger(phone, pages, visit):
    page = visit(phone, pages["findings/ddr/global_residual.html"]).page
    page.locator(".srlab-figure .point").first.scroll_into_view_if_needed()
    place = page.locator(".srlab-figure .point").first.bounding_box()
    page.touchscreen.tap(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.locator(THUMBNAIL).wait_for()


def test_a_slider_moves_by_keyboard(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/training_evolution.html"]).page
    figure = page.locator(".srlab-figure", has=page.locator(".slider-container"))
    marker = figure.locator(".slider-grip-rect").first
    figure.focus()
    page.keyboard.press("PageDown")  # at the first step already: stays there
    page.wait_for_timeout(1500)
    before, said = marker.bounding_box(), page.locator(SPOKEN).inner_text()
    page.keyboard.press("PageUp")
    page.wait_for_timeout(1500)
    assert marker.bounding_box()["x"] > before["x"] + 10
    assert page.locator(SPOKEN).inner_text() != said


def test_the_theme_can_change_under_a_figure(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/global_residual.html"]).page
    before = page.evaluate(INK)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.evaluate(DARKENED)
    assert before
    assert max(map(sum, before)) < BRIGHT < min(map(sum, page.evaluate(INK)))


def test_the_theme_can_change_while_a_figure_is_drawn(desk, pages, visit):
    desk.add_init_script(DUSK)
    page = visit(desk, pages["findings/ddr/global_residual.html"]).page
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.evaluate(DARKENED)
    assert min(map(sum, page.evaluate(INK))) > BRIGHT


def test_explorers_answer_in_the_book(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/explorer.html"]).page
    plot = page.locator(".srlab-embedding .plot")
    assert plot.locator(".marker").count() > 10
    page.get_by_text("without GR", exact=True).click()
    assert "without GR" in plot.get_attribute("aria-label")
    plot.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".srlab-embedding .patch .tile").first.wait_for()

    page = visit(desk, pages["findings/lam/explorer.html"]).page
    status, target = page.locator(".srlab-status"), page.get_by_role("application")
    said = [status.inner_text()]
    target.focus()
    for key in ("ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        said.append(status.inner_text())
    page.locator(".deck .srlab-card").first.click()
    said.append(status.inner_text())
    assert len(set(said)) == len(said)


def test_sliders_lead_a_patch_in_the_book(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/degradation_degrees.html"]).page
    ring, said = page.locator(".srlab-embedding .ring"), page.locator(".srlab-embedding .name")
    noise = page.get_by_role("slider", name="Noise")
    seen = set()
    for key in ("Home", "ArrowRight", "End"):
        noise.press(key)
        seen.add((ring.evaluate("(el) => el.style.transform"), said.inner_text()))
    assert len(seen) == 3
    page.get_by_role("slider", name="Patch").press("End")
    assert ring.evaluate("(el) => el.style.transform") not in {place for place, _ in seen}

    page = visit(desk, pages["findings/ddr/projection_choice.html"]).page
    explorer = page.locator(".srlab-embedding")
    before = explorer.locator(".score").inner_text()
    explorer.get_by_text("no structure", exact=True).click()
    assert explorer.locator(".score").inner_text() != before


@pytest.mark.parametrize(
    ("name", "slider"), [("masking", "Filters masked"), ("adjustable_restoration", "Deblurring")]
)
def test_restored_pictures_follow_sliders_in_the_book(desk, pages, visit, name, slider):
    page = visit(desk, pages[f"findings/faig/{name}.html"]).page
    explorer = page.locator(".srlab-pictures")
    seen = set()
    for key in ("Home", "End"):
        page.get_by_role("slider", name=slider).press(key)
        said = explorer.locator(".srlab-status").inner_text()
        seen.add((said, *(img.get_attribute("src") for img in explorer.locator("img").all())))
    assert len(seen) == 2
    explorer.locator(".srlab-pills").get_by_text("noisy", exact=True).click()
    assert "noisy" in explorer.locator(".srlab-status").inner_text()
    assert "running notebook" in explorer.inner_text()


def test_a_code_is_found_in_the_space_of_degradations(desk, dark_phone, pages, visit):
    path = pages["findings/redsr/explorer.html"]
    for context in (desk, dark_phone):
        page = visit(context, path).page
        explorer = page.locator(".srlab-pictures")
        assert explorer.locator(".srlab-cloud circle").count() > 10
        mark = explorer.locator(".srlab-cloud > svg > .mark").last
        seen = set()
        for name, key in product(("Noise", "Blur σ₂"), ("Home", "End")):  # one stays as it is
            page.get_by_role("slider", name=name).press(key)
            said = explorer.locator(".srlab-status").inner_text()
            lr = explorer.get_by_role("img", name="LR input").get_attribute("src")
            seen.add((said, lr, mark.evaluate("(el) => el.style.transform")))
        assert [len(set(kind)) for kind in zip(*seen, strict=True)] == [3, 3, 3]
        assert "around own code: blur width" in said
        assert page.evaluate(WIDER) == 0


def test_a_map_is_computed_in_the_book(desk, pages, visit):
    page = visit(desk, pages["your_picture.html"]).page
    status = page.locator(".srlab-attribution .told .srlab-status")
    before = status.inner_text()
    assert "FSRCNN (DI" in before
    page.locator(".pick").first.press("Shift+ArrowLeft")
    page.get_by_text("column 96.").wait_for()
    assert "FSRCNN (DI" in status.inner_text()


def test_a_degraded_picture_moves_on_the_planes_in_the_book(desk, pages, visit):
    page = visit(desk, pages["degrade_your_picture.html"]).page
    explorer = page.locator(".srlab-degradation")
    ring = explorer.locator("section .here").first
    seen = {ring.get_attribute("transform")}
    for words, slider in (("blur 5, noise 0/255", "Blur"), ("blur 5, noise 50/255", "Noise")):
        page.get_by_role("slider", name=slider).press("End")
        explorer.locator(".srlab-status", has_text=words).wait_for(state="attached")
        seen.add(ring.get_attribute("transform"))
    assert len(seen) == 3


def test_what_needs_a_kernel_says_so(desk, pages, visit):
    for name in ("ddr", "lam", "redsr"):
        page = visit(desk, pages[f"findings/{name}/explorer.html"]).page
        assert "running notebook" in page.locator(".srlab-widget").inner_text()


def test_search_works_offline_and_without_errors(desk, quick_book):
    page, errors = desk.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto((quick_book / "_build/html/search.html").as_uri() + "?q=attribution")
    page.locator("#search-results li").first.wait_for()
    assert errors == []


def test_a_finding_opens_with_its_verdict_and_key_figure(desk, pages, visit):
    page = visit(desk, pages["findings/ddr/global_residual.html"]).page
    card = page.locator(".srlab-card").bounding_box()
    figure = page.locator(".srlab-figure").first.bounding_box()
    assert card["y"] < figure["y"] < 900
    numbers = page.locator(".bd-article .caption-number").all_inner_texts()
    counted = [int(number.strip("Fig. ")) for number in numbers]
    assert counted == [*range(counted[0], counted[0] + len(counted))]
    sign = page.locator(".bd-sidebar-primary .current > a .srlab-sign").last.inner_text()
    assert page.locator(".srlab-card strong").inner_text().startswith(sign)


def test_the_scoreboard_shows_what_is_asked_for(desk, pages, visit):
    page = visit(desk, pages["scoreboard.html"]).page
    lines = page.locator(".srlab-finding:visible")
    whole = lines.count()
    page.locator(".srlab-filter [type=search]").fill("global residual")
    assert 0 < lines.count() < whole
    assert f"{lines.count()} of {whole}" in page.locator(".srlab-filter output").inner_text()
    lines.first.locator("summary").click()
    lines.first.get_by_text("Open the page").click()
    page.locator(".srlab-card").wait_for()


def test_the_scoreboard_of_a_phone_is_short(phone, pages, visit):
    page = visit(phone, pages["scoreboard.html"]).page
    assert page.locator(".srlab-finding").count() > 35
    assert page.evaluate("document.documentElement.scrollHeight") <= 3500
    line = page.locator(".srlab-finding").first
    measured = line.locator("small")
    assert not measured.is_visible()
    line.locator("summary").click()
    assert measured.is_visible()
