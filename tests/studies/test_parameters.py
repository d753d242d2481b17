"""What a notebook is given in place of its parameters."""

import pytest

from srlab.studies.parameters import check_cells, check_given, offered

CELL = 'seeds = [0, 1]  # a = b\nnames = {"a": 1}\nwidth, far = 2, 3\nfree = None\nset = "b100"\n'
KNOWN = {"seeds": [0, 1], "names": {"a": 1}, "free": None, "set": "b100", "rate": 2, "on": False}


def test_a_cell_offers_its_assignments():
    assert offered(CELL) == {"seeds": [0, 1], "names": {"a": 1}, "free": None, "set": "b100"}
    assert offered("") == {}
    assert offered("rate = 1 / 2") == {"rate": None}


def test_what_fits_passes():
    check_given({"seeds": (2,), "names": {}, "free": "any", "rate": 2.5, "on": True}, KNOWN)
    check_given({}, {})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seed": 1}, "one has no parameter seed; it has seeds, names, free, set, rate, on"),
        ({"seeds": 5}, r"one takes seeds as a list such as \[0, 1\], got 5"),
        ({"set": 100}, "one takes set as text such as 'b100', got 100"),
        ({"rate": "fast"}, "one takes rate as a number such as 2, got 'fast'"),
        ({"rate": True}, "as a number such as 2, got True"),
        ({"on": 1}, "as True or False such as False, got 1"),
    ],
)
def test_what_does_not_is_refused_with_what_would(given, words):
    with pytest.raises(ValueError, match=words):
        check_given(given, KNOWN, name="one")


def test_only_what_papermill_put_in_is_checked():
    check_cells(["", CELL, "seed = 3"])
    check_cells(["", CELL, "# Parameters\nseeds = [4]\n", "seed = 3"])
    with pytest.raises(ValueError, match="this notebook has no parameter seed; it has seeds"):
        check_cells(["", CELL, "# Parameters\nseed = 3\n", "x = 1"])
