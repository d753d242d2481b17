"""Many degradations at once, their vectors, the standard test set, and pairs of crops."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from srlab.data.datasets import PatchSampler, load_images
from srlab.degradations import Degradation, DegradationSpace
from srlab.degradations.filters import gaussian_kernel
from srlab.degradations.pipeline import degrade_each
from srlab.models.redsr import VECTOR, degradation_vectors
from srlab.studies.redsr.blurs import gaussian8

CPU = torch.device("cpu")
KEPT = (241.908116, 3882.776538, 0.143146)  # sums of lr and hr, one value
GENERAL = DegradationSpace(
    scale=4,
    blur_sigma=(0.2, 4.0),
    anisotropic=True,
    kernel_size=21,
    noise_sigma=(0.0, 25 / 255),
)


def streams(count):
    return np.random.default_rng(3).spawn(count)


@pytest.mark.parametrize(
    "space",
    [
        GENERAL,
        replace(GENERAL, noise_sigma=(0.0, 0.0)),
        replace(GENERAL, blur_probability=0.5, noise_probability=0.5),
        replace(GENERAL, kernel_size=None),
        replace(GENERAL, jpeg_quality=(30, 60)),
        DegradationSpace(scale=2),
    ],
)
def test_a_batch_is_degraded_as_each_of_its_images_alone(space):
    rng = np.random.default_rng(0)
    images = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    drawn = [space.draw(rng) for _ in images]
    together = degrade_each(images, drawn, streams(5))
    alone = [
        one(image[None], [stream])
        for one, image, stream in zip(drawn, images, streams(5), strict=True)
    ]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)


def test_gaussian8_is_the_published_set():
    assert [one.blur_sigma for one in gaussian8()] == [1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2]
    assert {(one.scale, one.kernel_size) for one in gaussian8()} == {(4, 21)}
    assert gaussian8(2)[0].blur_sigma == 0.8
    with pytest.raises(ValueError, match="scales"):
        gaussian8(8)


def test_a_vector_holds_the_root_of_the_kernels_covariance_and_the_noise():
    degradation = Degradation(blur_sigma=3.0, blur_sigma_y=1.5, blur_angle=0.4, noise_sigma=0.1)
    vector = degradation_vectors([degradation, Degradation()])
    assert vector.shape == (2, len(VECTOR))
    assert not vector[1].any()
    xx, yy, xy, noise = vector[0].double()
    root = torch.tensor([[xx, xy], [xy, yy]], dtype=torch.float64)
    kernel = gaussian_kernel(*degradation.blur_axes, size=41)[0].double()
    offsets = torch.arange(41, dtype=torch.float64) - 20
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    covariance = torch.stack(
        [(kernel * a * b).sum() for a, b in ((x, x), (x, y), (y, x), (y, y))]
    ).view(2, 2)
    torch.testing.assert_close(root @ root, covariance, atol=1e-3, rtol=1e-3)
    assert noise.item() == pytest.approx(0.1)


def test_a_blur_turned_by_half_a_circle_is_the_same_and_so_is_its_vector():
    one = Degradation(blur_sigma=3.0, blur_sigma_y=1.0, blur_angle=0.3)
    turned = [
        replace(one, blur_angle=0.3 + np.pi),
        replace(one, blur_sigma=1.0, blur_sigma_y=3.0, blur_angle=0.3 + np.pi / 2),
    ]
    expected = degradation_vectors([one]).expand(2, -1)
    torch.testing.assert_close(degradation_vectors(turned), expected)


def sampler(crops=1, batch_size=3, **settings):
    images = list(load_images("photographs", limit=2).values())
    sizes = {"space": GENERAL, "lr_size": 8, "seed": 5}
    return PatchSampler(
        images, batch_size=batch_size, crops_per_draw=crops, **{**sizes, **settings}
    )


def test_two_crops_of_one_picture_share_their_degradation_but_not_their_noise():
    clean = replace(GENERAL, noise_sigma=(0.0, 0.0))
    lr, hr, drawn = sampler(2, space=clean).drawn_batch(0, CPU)
    assert lr.shape == (6, 3, 8, 8)
    assert hr.shape == (6, 3, 32, 32)
    assert drawn[:3] == drawn[3:]
    assert len(set(drawn)) == 3
    first, second = hr.chunk(2)
    assert all(not torch.equal(one, other) for one, other in zip(first, second, strict=True))
    flat = [torch.full((3, 64, 64), 0.5)]
    noisy = replace(GENERAL, noise_sigma=(0.1, 0.1))
    lr = PatchSampler(flat, space=noisy, lr_size=8, batch_size=3, seed=5, crops_per_draw=2).batch(
        0, CPU
    )[0]
    assert len({row.sum().item() for row in lr}) == 6


def test_one_crop_a_draw_is_the_batch_it_always_was():
    """The numbers of a batch before crops could come in pairs."""
    space = DegradationSpace(scale=4, blur_sigma=(1.0, 2.0), noise_sigma=(0.0, 0.1))
    lr, hr = sampler(space=space).batch(7, CPU)
    measured = [lr.double().sum().item(), hr.double().sum().item(), lr[1, 2, 3, 4].item()]
    assert measured == pytest.approx(KEPT, abs=1e-3)


def test_all_crops_come_from_the_picture_of_their_draw():
    dark, bright = torch.zeros(3, 64, 64), torch.ones(3, 64, 64)
    space = replace(GENERAL, noise_sigma=(0.0, 0.0))
    pairs = PatchSampler(
        [dark, bright], space=space, lr_size=8, batch_size=16, seed=0, crops_per_draw=2
    )
    first, second = pairs.batch(0, CPU)[1].mean(dim=(1, 2, 3)).chunk(2)
    assert torch.equal(first, second)
    assert 0 < first.sum() < 16
