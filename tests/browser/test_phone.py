"""Every page of the book as a reader meets it on a phone at night: offline and drawn."""

from faults import faults


def test_every_page_is_drawn_offline_on_a_phone_in_the_dark(dark_phone, pages, visit):
    wrong: dict[str, object] = {}
    for place, path in pages.items():
        seen = visit(dark_phone, path)
        wrong |= faults(seen, place, path, dark=True)
        seen.page.close()
    assert not wrong
