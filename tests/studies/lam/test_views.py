"""Where windows lie, and what stands beside a patch."""

import numpy as np
import torch

from srlab.attribution.lam import lam, patch
from srlab.degradations.filters import downsample, upsample
from srlab.studies.lam.diffusion import middle
from srlab.studies.lam.hard_patches import HardPatches
from srlab.studies.lam.regular_patches import patches_by_regularity
from srlab.studies.lam.views import map_rows, outline


def test_the_outline_is_where_a_local_network_s_attribution_lies():
    hr = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    top, left, height, width = outline(64, 16)
    start = middle(64, 16)
    found = lam(lambda x: upsample(x, 4), downsample(hr, 4), patch(start, start, 16))
    rows, columns = np.nonzero(found.map[0].abs().sum(0).numpy())
    assert top - 2.5 <= rows.min() <= top
    assert top + height - 1 <= rows.max() <= top + height + 1.5
    assert (top, height) == (left, width)
    assert (rows.min(), rows.max()) == (
        columns.min(),
        columns.max(),
    )


def test_a_row_for_each_patch_and_a_column_for_each_network():
    hr = torch.rand(3, 3, 32, 32)
    patches = HardPatches(
        downsample(hr, 4), hr, (*"abc",), np.zeros((3, 2), int), {}, np.ones(3), 3
    )
    maps = {"one": np.random.default_rng(0).random((3, 8, 8)), "other": np.zeros((3, 8, 8))}
    notes = {name: [f"{name} {i}" for i in range(3)] for name in maps}
    figure = map_rows(patches, maps, notes, window=8, count=2)
    assert [trace.name for trace in figure.data] == [
        f"{row}<br>0,0 {column}" for row in "ab" for column in ("HR", "one", "other")
    ]
    np.testing.assert_allclose(figure.data[1].z, maps["one"][0], rtol=1e-6)


def test_patches_come_from_the_least_to_the_most_regular():
    found = patches_by_regularity("textures", 4, size=128, stride=128, context=64, least=0.02)
    assert len(found) == 4 < found.candidates
    assert (np.diff(found.peakiness) > 0).all()
    assert found.hr.shape == (4, 3, 128, 128)
    assert {*found.sets} == {"textures"}
