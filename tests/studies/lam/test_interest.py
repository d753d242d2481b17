"""What all use and what only wide networks use, by hand."""

import numpy as np
import torch

from srlab.degradations.filters import downsample, upsample
from srlab.studies.lam.hard_patches import HardPatches
from srlab.studies.lam.interest import blurred_away, shared_interest

AREAS = np.zeros((4, 1, 3, 3), bool)
AREAS[:, 0, 1, 1] = True  # all
AREAS[2:, 0, 1, 2] = True  # the two wide ones
AREAS[1:, 0, 2, 2] = True  # the wide ones and a narrow one
AREAS[3, 0, 0, 0] = True  # one wide one
INDEX = np.array([[1.0], [2.0], [3.0], [4.0]])


def test_red_is_what_all_use_and_blue_what_only_the_wide_half_uses():
    found = shared_interest(AREAS, INDEX)
    assert np.argwhere(found.red[0]).tolist() == [[1, 1]]
    assert np.argwhere(found.blue[0]).tolist() == [[1, 2]]
    assert found.wide[:, 0].tolist() == [False, False, True, True]
    assert found.mean(INDEX, found.wide) == [3.5]
    assert found.mean(INDEX, found.narrow) == [1.5]


def test_random_pixels_are_as_many_as_red_ones_and_in_no_area():
    found = shared_interest(AREAS, INDEX)
    assert found.random.sum() == found.red.sum()
    assert not (found.random & AREAS.any(axis=0)).any()


def test_blurring_harms_a_patch_only_where_the_network_looks():
    hr = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    lr = downsample(hr, 4)
    patches = HardPatches(lr, hr, ("one",), np.zeros((1, 2)), {}, np.ones(1), 1)
    sr = upsample(lr, 4)
    far, near = np.zeros((2, 1, 16, 16), bool)
    far[0, :3] = near[0, 6:10, 6:10] = True
    unseen, seen = (
        blurred_away(lambda x: upsample(x, 4), patches, sr, own, window=8) for own in (far, near)
    )
    np.testing.assert_allclose(unseen, 0, atol=1e-4)
    assert seen[0, 0] > 1
    assert seen.shape == (1, 2)
