import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from srlab.degradations.filters import (
    add_noise,
    blur,
    downsample,
    filter2d,
    gaussian_kernel,
    jpeg,
    motion_kernel,
    shift,
    upsample,
)
from srlab.images import image_to_array

IMAGES = torch.rand(2, 3, 48, 60, generator=torch.Generator().manual_seed(0))


def generators(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 2.7])
@pytest.mark.parametrize("sigma_y", [None, 0.0, 1.5])
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_kernels_sum_to_one_and_are_symmetric(sigma, sigma_y, angle):
    kernel = gaussian_kernel(sigma, sigma_y, angle)[0]
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(kernel, kernel.flip(0, 1))
    if sigma_y is None:
        torch.testing.assert_close(kernel, kernel.mT)


def test_a_width_of_zero_is_the_identity():
    kernel = gaussian_kernel(0.0, size=5)[0]
    assert kernel[2, 2] == 1
    assert kernel.sum() == 1
    assert torch.equal(filter2d(IMAGES, kernel), IMAGES)
    torch.testing.assert_close(filter2d(IMAGES, gaussian_kernel(1e-4, size=5)), IMAGES)
    assert torch.equal(blur(IMAGES, 0.0), IMAGES)


@pytest.mark.parametrize("length", [0.0, 1.0, 2.5, 7.0])
@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_motion_is_the_mean_of_the_picture_along_the_way(length, angle):
    kernel = motion_kernel(length, angle)
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)
    moved = filter2d(IMAGES, kernel)[..., 8:-8, 8:-8].numpy()
    way = ((np.arange(112) + 0.5) / 112 - 0.5) * length
    steps = [(0, 0, t * np.sin(angle), t * np.cos(angle)) for t in way]
    shifted = [ndimage.shift(IMAGES.numpy(), step, order=1, mode="mirror") for step in steps]
    reference = np.mean(shifted, axis=0)[..., 8:-8, 8:-8]
    assert np.abs(moved - reference).max() < 2e-3


@pytest.mark.parametrize("length", [-1.0, float("nan")])
def test_a_motion_has_a_length(length):
    with pytest.raises(ValueError, match="length of a motion"):
        motion_kernel(length)


def test_kernels_come_in_batches():
    sigmas, angles = torch.tensor([0.5, 2.0]), torch.tensor([0.0, 1.0])
    together = gaussian_kernel(sigmas, 1.0, angles, size=17)
    for index in range(2):
        alone = gaussian_kernel(sigmas[index].item(), 1.0, angles[index].item(), size=17)
        torch.testing.assert_close(together[index], alone[0])


def test_the_kernel_has_the_widths_and_the_angle_it_was_given():
    angle = 0.6
    kernel = gaussian_kernel(3.0, 1.0, angle)[0].double()
    offsets = torch.arange(len(kernel)) - len(kernel) // 2.0
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    covariance = torch.tensor(
        [
            [(kernel * x * x).sum(), (kernel * x * y).sum()],
            [(kernel * x * y).sum(), (kernel * y * y).sum()],
        ]
    )
    (narrow, wide), axes = torch.linalg.eigh(covariance)
    assert wide.sqrt().item() == pytest.approx(3, rel=0.01)
    assert narrow.sqrt().item() == pytest.approx(1, rel=0.01)
    direction = math.atan2(axes[1, 1], axes[0, 1]) % math.pi
    assert direction == pytest.approx(angle, abs=1e-3)


def test_two_blurs_are_one_of_the_root_of_the_summed_squares():
    window = (..., slice(16, -16), slice(16, -16))  # away from the mirrored border
    twice, once = blur(blur(IMAGES, 1.2), 1.6), blur(IMAGES, 2.0)
    assert (twice - once)[window].abs().max() < 1e-3
    assert (once - blur(IMAGES, 1.6))[window].abs().max() > 1e-2


def test_the_separable_blur_is_the_filter_with_the_square_kernel():
    torch.testing.assert_close(blur(IMAGES, 1.3), filter2d(IMAGES, gaussian_kernel(1.3)))


@pytest.mark.parametrize("size", [None, 7])
@pytest.mark.parametrize(("scale", "mode"), [(1, "bicubic"), (4, "bicubic"), (2, "bilinear")])
def test_blurs_of_several_widths_are_reduced_in_the_same_pass(size, scale, mode):
    sigmas = torch.tensor([0.0, 1.3])
    kernels = gaussian_kernel(sigmas, size=size)
    expected = downsample(filter2d(IMAGES, kernels), scale, mode)
    found = blur(IMAGES, sigmas, size=size, scale=scale, mode=mode)
    torch.testing.assert_close(found, expected)


def test_a_constant_image_stays_constant():
    grey = torch.full((1, 3, 24, 24), 0.3)
    for result in (blur(grey, 2.0), downsample(grey, 4), upsample(grey, 2)):
        torch.testing.assert_close(result, torch.full_like(result, 0.3))


def test_each_image_meets_its_own_kernel():
    kernels = gaussian_kernel(torch.tensor([0.0, 1.0]), size=9)
    result = filter2d(IMAGES, kernels)
    assert torch.equal(result[0], IMAGES[0])
    torch.testing.assert_close(result[1:], filter2d(IMAGES[1:], kernels[1]))


def test_filters_correlate_and_do_not_flip():
    left = torch.zeros(3, 3)
    left[1, 0] = 1.0  # takes the pixel on the left
    torch.testing.assert_close(filter2d(IMAGES, left)[..., 1:], IMAGES[..., :-1])


@pytest.mark.parametrize(("mode", "resampling"), [("bicubic", "BICUBIC"), ("bilinear", "BILINEAR")])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_reduction_agrees_with_pillow(scale, mode, resampling):
    """Pillow's kernels, bicubic with a = −0.5, are widened when reducing; it knows not of torch."""
    channel = IMAGES[0, 0]
    small = (channel.shape[1] // scale, channel.shape[0] // scale)
    pillow = np.asarray(
        Image.fromarray(channel.numpy()).resize(small, Image.Resampling[resampling])
    )
    ours = downsample(IMAGES, scale, mode)[0, 0]
    torch.testing.assert_close(ours, torch.from_numpy(pillow.copy()), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("mode", "resampling"), [("bicubic", "BICUBIC"), ("bilinear", "BILINEAR")])
def test_enlargement_agrees_with_pillow(mode, resampling):
    channel = IMAGES[0, 0]
    large = (channel.shape[1] * 3, channel.shape[0] * 3)
    pillow = Image.fromarray(channel.numpy()).resize(large, Image.Resampling[resampling])
    ours = upsample(IMAGES, 3, mode)[0, 0]
    torch.testing.assert_close(ours, torch.from_numpy(np.array(pillow)), atol=1e-5, rtol=0)


def test_noise_has_the_strength_and_no_bias():
    noise = add_noise(torch.zeros(1, 3, 200, 200), 20 / 255, np.random.default_rng(0))
    assert noise.std().item() == pytest.approx(20 / 255, rel=0.01)
    assert abs(noise.mean().item()) < 1e-3


def test_noise_of_an_image_does_not_depend_on_its_neighbours():
    together = add_noise(IMAGES, 0.1, generators(7, 8))
    swapped = add_noise(IMAGES.flip(0), 0.1, generators(8, 7))
    alone = add_noise(IMAGES[1:], 0.1, generators(8))
    assert torch.equal(together, swapped.flip(0))
    assert torch.equal(together[1:], alone)
    assert not torch.equal(together[0] - IMAGES[0], together[1] - IMAGES[1])


def test_noise_may_differ_in_strength():
    strengths = torch.tensor([0.0, 0.2])
    result = add_noise(IMAGES, strengths, np.random.default_rng(0))
    assert torch.equal(result[0], IMAGES[0])
    assert (result[1] - IMAGES[1]).std().item() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("quality", [10, 75])
def test_jpeg_agrees_with_pillow(quality):
    memory = io.BytesIO()
    Image.fromarray(image_to_array(IMAGES[1])).save(memory, "JPEG", quality=quality)
    expected = np.asarray(Image.open(memory))
    np.testing.assert_array_equal(image_to_array(jpeg(IMAGES, quality)[1]), expected)


@pytest.mark.parametrize(
    "operator", ["blur", "filter2d", "downsample", "upsample", "noise", "jpeg"]
)
def test_no_operator_changes_its_input(operator):
    images = IMAGES.clone()
    {
        "blur": lambda: blur(images, 1.0),
        "filter2d": lambda: filter2d(images, gaussian_kernel(1.0)),
        "downsample": lambda: downsample(images, 2),
        "upsample": lambda: upsample(images, 2),
        "noise": lambda: add_noise(images, 0.1, np.random.default_rng(0)),
        "jpeg": lambda: jpeg(images, 50),
    }[operator]()
    assert torch.equal(images, IMAGES)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_kernel(-1.0), "not negative"),
        (lambda: gaussian_kernel(math.inf), "finite"),
        (lambda: gaussian_kernel(1.0, size=4), "odd"),
        (lambda: blur(IMAGES, -1.0), "not negative"),
        (lambda: blur(IMAGES, 20.0), "a blur of 20 pixels needs images larger than 80"),
        (lambda: blur(IMAGES, torch.ones(3)), "3 widths for 2 images"),
        (lambda: blur(IMAGES, 1.0, scale=7), "crop_to_multiple"),
        (lambda: filter2d(IMAGES, torch.ones(2, 2)), "odd"),
        (lambda: filter2d(IMAGES, torch.ones(3, 3, 3)), "3 kernels for 2 images"),
        (lambda: filter2d(IMAGES, gaussian_kernel(12.0)), "larger than 48"),
        (lambda: downsample(IMAGES, 7), "crop_to_multiple"),
        (lambda: add_noise(IMAGES, 0.1, generators(1)), "1 generators for 2 images"),
        (lambda: jpeg(IMAGES, 0), "between 1 and 100"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_shift_by_whole_pixels_moves_the_picture():
    images = torch.rand(2, 3, 12, 15, dtype=torch.float64)
    moved = shift(images, 2, -3)
    torch.testing.assert_close(moved[..., 2:, :-3], images[..., :-2, 3:])
    assert shift(images, 0, 0) is images


def test_shifting_there_and_back_is_almost_nothing_for_a_smooth_picture():
    torch.manual_seed(0)
    images = blur(torch.rand(1, 3, 40, 40, dtype=torch.float64), 3)
    back = shift(shift(images, 0.4, -0.3), -0.4, 0.3)
    assert (back - images)[..., 4:-4, 4:-4].abs().max() < 2e-3
    assert (shift(images, 0.4, -0.3) - images).abs().max() > 1e-2
