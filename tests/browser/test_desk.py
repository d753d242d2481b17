"""Every page of the book as a reader meets it at a desk: offline, drawn, by day and by night."""

from faults import DARKENED, faults


def test_every_page_is_drawn_offline_on_a_desk_in_light_and_dark(desk, pages, walk):
    wrong: dict[str, object] = {}
    for place, seen in walk(desk, pages):
        wrong |= faults(seen, place, dark=False)
        seen.page.emulate_media(color_scheme="dark")
        seen.page.evaluate(DARKENED)
        wrong |= faults(seen, f"{place} in the dark", dark=True)
        seen.page.emulate_media(color_scheme="light")
    assert not wrong
