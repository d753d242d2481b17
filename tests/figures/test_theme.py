import ast
from pathlib import Path

import numpy as np
import pytest

import srlab.figures
from srlab.figures.theme import log_ticks, shades


def test_shades_grow_into_the_colour():
    tones = shades("#0072B2", 4)
    assert len(set(tones)) == 4
    assert tones[-1] == "#0072B2"
    red = [int(tone[1:3], 16) for tone in tones]
    assert red == sorted(red, reverse=True)


def test_figures_need_neither_torch_nor_rooms_above():
    files = list(Path(srlab.figures.__file__).parent.glob("*.py"))
    assert len(files) > 5
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        names = {n.module or "." for n in nodes if isinstance(n, ast.ImportFrom)}
        names |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        others = names - {n for n in names if n.startswith("srlab.figures.")}
        others -= {"srlab.files", "srlab.extras"}
        assert not any(n.split(".")[0] in {"torch", "srlab"} for n in others), file


@pytest.mark.parametrize(
    ("span", "ticks"),
    [((47, 600), "D2"), ((0.3, 0.8), "D2"), ((0.5, 60), 1), ((0.001, 200), 2), ((-1, 0), "D2")],
)
def test_a_logarithmic_axis_names_two_places_at_least(span, ticks):
    assert log_ticks(np.array(span)) == ticks
