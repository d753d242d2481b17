"""Every page of the book as a reader meets it on a phone at night: offline and drawn."""

from faults import faults


def test_every_page_is_drawn_offline_on_a_phone_in_the_dark(dark_phone, pages, walk):
    wrong: dict[str, object] = {}
    for place, seen in walk(dark_phone, pages):
        wrong |= faults(seen, place, dark=True)
    assert not wrong
