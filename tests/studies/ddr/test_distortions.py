import os
from itertools import combinations

import numpy as np
import pytest
import torch

from srlab.data.labelled import LIVE_DISTORTIONS
from srlab.metrics import psnr
from srlab.studies.ddr import distortions
from srlab.studies.ddr.codecs import fast_fading, jpeg2000
from srlab.studies.ddr.distortions import DISTORTIONS, distorted_crops

REAL = pytest.mark.skipif("SRLAB_DATA" not in os.environ, reason="SRLAB_DATA is not set")


def waves(batch=1, size=128):
    steps = torch.arange(size) / 9
    picture = (torch.sin(steps)[:, None] * torch.cos(1.7 * steps) + 1) / 2
    return picture.expand(batch, 3, size, size).clone()


@pytest.fixture
def toys(monkeypatch):
    pictures = {name: waves(size=260)[0].roll(number, 2) for number, name in enumerate("abc")}
    monkeypatch.setattr(
        distortions, "load_images", lambda _, limit: dict(list(pictures.items())[:limit])
    )


@pytest.mark.parametrize(
    ("codec", "strengths"), [(jpeg2000, (2, 20, 100)), (fast_fading, (1.0, 0.5, 0.1))]
)
def test_stronger_is_worse(codec, strengths):
    images = waves()
    values = [psnr(codec(images, strength), images, border=0).item() for strength in strengths]
    assert values == sorted(values, reverse=True)
    assert values[0] > 35


def test_codecs_take_each_image_alone_and_repeat():
    images = torch.cat([waves(), waves().flip(-1)])
    for codec, strength in ((jpeg2000, 30), (fast_fading, 0.4)):
        both = codec(images, strength)
        assert both.shape == images.shape
        assert torch.equal(both[1:], codec(images[1:], strength))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jpeg2000(waves(), 0.5), "between 1 and 1000, got 0.5"),
        (lambda: fast_fading(waves(), 0), r"\(0, 1\], got 0"),
    ],
)
def test_bad_strengths_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.usefixtures("toys")
def test_every_content_has_every_distortion_and_level():
    crops = distorted_crops("toys", count=2, size=96)
    assert crops.images.shape == (2 * 5 * 4, 3, 96, 96)
    found = set(zip(*(values.tolist() for values in crops[1:]), strict=True))
    assert found == {(d, c, level) for d in DISTORTIONS for c in "ab" for level in (1, 2, 3, 4)}
    levels = crops.images * 255
    assert torch.allclose(levels, levels.round(), atol=1e-3)


@pytest.mark.usefixtures("toys")
def test_levels_grow_in_damage():
    crops = distorted_crops("toys", count=1, size=96)
    clean = distortions.downsample(waves(size=260), 2)
    [(top, left)] = distortions._middle(clean, 96, 1)
    clean = clean[..., top : top + 96, left : left + 96]
    for name in DISTORTIONS:
        own = crops.images[crops.distortions == name]
        errors = [(image - clean[0]).square().mean().item() for image in own]
        assert errors == sorted(errors)


def test_crops_begin_with_a_block():
    assert distortions._middle(torch.zeros(3, 130, 130), 96, 1) == [(16, 16)]


@REAL
def test_live_gives_its_own_distortions():
    crops = distorted_crops("live")
    assert len(crops.images) == 110
    assert set(crops.distortions) == set(LIVE_DISTORTIONS.values()) - {"pristine"}
    assert len(set(crops.contents)) == 6
    assert crops.levels.min() == 1
    few = distorted_crops("live", count=2)
    assert len(set(few.contents)) == 2


@pytest.mark.usefixtures("toys")
def test_neighbours_of_the_central_crop_do_not_overlap():
    one = distorted_crops("toys", count=1, size=32)
    more = distorted_crops("toys", count=1, size=32, each=9)
    assert len(more.images) == 9 * len(one.images)
    torch.testing.assert_close(more.images[::9], one.images)
    assert (more.distortions[::9] == one.distortions).all()
    places = distortions._middle(more.images[0].new_zeros(3, 130, 130), 32, 9)
    for one, other in combinations(places, 2):
        assert max(abs(np.subtract(one, other))) >= 32
    with pytest.raises(ValueError, match="ask for"):
        distorted_crops("toys", count=1, size=32, each=100)
