import numpy as np
import torch

from srlab.degradations.windows import Windows
from srlab.studies.redsr.codes import code_separation
from srlab.studies.redsr.tables import separation_grid, separation_table

LR = torch.zeros(20, 3, 4, 4)
SEEN = Windows(LR, {"sharp": LR, "blurred": LR}, tuple("abcde" * 4))
WIDTHS = np.repeat([0.5, 4.0], 20)
NOISE = np.random.default_rng(0).standard_normal((2, 40, 3))
TOLD = NOISE[0] + 10 * WIDTHS[:, None]


def test_every_seed_has_a_row_and_every_network_a_place():
    codes = {("taught", "width"): [TOLD, TOLD], ("untaught", "width"): [NOISE[1]]}
    table = separation_table(codes, {"width": SEEN}, {"width": WIDTHS})
    assert [network for network, _ in table.index] == ["taught", "taught", "untaught"]
    expected = code_separation(NOISE[1], SEEN, WIDTHS)
    assert tuple(table.iloc[2]) == tuple(expected)
    first = separation_grid(table).data[0]
    assert [*first.y] == ["taught", "untaught"]
    assert np.allclose(np.array(first.z)[:, 0], table.probe.iloc[[0, 2]].round(2))
