import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srlab.degradations.filters import upsample
from srlab.metrics import gradient_error, network_psnr, psnr, removed_share, ssim

GENERATOR = torch.Generator().manual_seed(0)
HR = torch.rand(2, 3, 40, 50, generator=GENERATOR)
SR = (HR + 0.1 * torch.randn(HR.shape, generator=GENERATOR)).clamp(0, 1)


def y_channel(image):
    """Luma as scikit-image computes it, 0–1."""
    return rgb2ycbcr(image.double().permute(1, 2, 0).numpy())[..., 0] / 255


@pytest.mark.parametrize("border", [0, 4])
def test_psnr_agrees_with_scikit_image(border):
    window = (slice(border, 40 - border), slice(border, 50 - border))
    luma = [
        peak_signal_noise_ratio(y_channel(hr)[window], y_channel(sr)[window], data_range=1)
        for sr, hr in zip(SR, HR, strict=True)
    ]
    rgb = [
        peak_signal_noise_ratio(
            hr[:, *window].double().numpy(), sr[:, *window].double().numpy(), data_range=1
        )
        for sr, hr in zip(SR, HR, strict=True)
    ]
    np.testing.assert_allclose(psnr(SR, HR, border=border), luma, atol=1e-4)
    np.testing.assert_allclose(psnr(SR, HR, border=border, y=False), rgb, atol=1e-9)


def test_ssim_agrees_with_scikit_image():
    expected = [
        structural_similarity(
            y_channel(hr),
            y_channel(sr),
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for sr, hr in zip(SR, HR, strict=True)
    ]
    np.testing.assert_allclose(ssim(SR, HR, border=0), expected, atol=1e-5)


def test_ssim_is_the_published_formula():
    """Wang et al. 2004 written out: 11×11 Gaussian window of σ 1.5, whole windows only."""
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))

    def mean(values):
        for axis in (0, 1):
            values = correlate1d(values, weights / weights.sum(), axis)
        return values[5:-5, 5:-5]

    x, y = (image[0].double().numpy() for image in (SR[0], HR[0]))
    mean_x, mean_y = mean(x), mean(y)
    variance = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    expected = ((2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)) / (
        (mean_x**2 + mean_y**2 + 1e-4) * (variance + 9e-4)
    )
    grey_sr, grey_hr = (images[:1, :1].expand(1, 3, 40, 50) for images in (SR, HR))
    assert ssim(grey_sr, grey_hr, border=0, y=False).item() == pytest.approx(expected.mean())


def test_equal_images_are_perfect():
    assert torch.isinf(psnr(HR, HR, border=0)).all()
    torch.testing.assert_close(ssim(HR, HR, border=0), torch.ones(2, dtype=torch.float64))


def test_the_border_is_not_measured():
    framed = HR.clone()
    framed[..., :4] = 0
    assert torch.isinf(psnr(framed, HR, border=4)).all()
    assert psnr(framed, HR, border=3).max() < 40


def test_the_range_scales_and_values_are_clamped_to_it():
    torch.testing.assert_close(
        psnr(SR * 255, HR * 255, border=0, data_range=255.0, y=False),
        psnr(SR, HR, border=0, y=False),
        atol=1e-4,
        rtol=0,
    )
    over = torch.full((1, 3, 20, 20), 1.7)
    assert torch.isinf(psnr(over, torch.ones_like(over), border=0)).all()


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_what_cannot_be_compared_is_refused(metric):
    with pytest.raises(ValueError, match="one shape"):
        metric(SR, HR[:1], border=0)
    with pytest.raises(ValueError, match="one shape"):
        metric(SR[0], HR[0], border=0)
    with pytest.raises(ValueError, match="leaves nothing"):
        metric(SR, HR, border=20)
    with pytest.raises(ValueError, match="y=False"):
        metric(SR, HR, border=0, data_range=255.0)


def test_ssim_needs_a_whole_window():
    with pytest.raises(ValueError, match="11×11"):
        ssim(SR, HR, border=15)


def test_a_networks_psnr_follows_each_version_of_each_picture():
    noisy = torch.stack([SR, HR], dim=1).flatten(0, 1)
    got = network_psnr(lambda image: image, noisy, HR, border=4, batch_size=3)
    torch.testing.assert_close(got[::2], psnr(SR, HR, border=4))
    assert torch.isinf(got[1::2]).all()
    with pytest.raises(ValueError, match="whole number of versions"):
        network_psnr(lambda image: image, noisy[1:], HR, border=4)


@pytest.mark.parametrize("passed", [1.0, 0.0, 0.4, 1.5])
def test_what_a_network_does_not_pass_on_it_removes(passed):
    def network(image):
        content = upsample(SR, 2)[: len(image)]
        return content + passed * (upsample(image, 2) - content)

    assert removed_share(network, SR, HR, batch_size=2) == pytest.approx(1 - passed, abs=1e-6)


def test_no_degradation_cannot_be_removed():
    with pytest.raises(ValueError, match="no degradation"):
        removed_share(lambda image: image, SR, SR)
    with pytest.raises(ValueError, match="one shape"):
        removed_share(lambda image: image, SR, HR[:1])


def test_gradient_error_compares_slopes_of_luma_only():
    ramp = torch.linspace(0, 0.5, 12).expand(1, 3, 12, 12)
    flat = torch.full((1, 3, 12, 12), 0.25)
    slope = 2 * 0.5 / 11 * 219 / 255  # luma is in studio range
    assert gradient_error(ramp, flat, border=1).item() == pytest.approx(slope**2, rel=1e-5)
    assert gradient_error(ramp, ramp + 0.3, border=1).item() == pytest.approx(0, abs=1e-12)
    turned = torch.cat([ramp.mT, ramp.flip(-1)])
    assert gradient_error(turned, ramp.expand(2, -1, -1, -1), border=0) == pytest.approx(0)
    blue = torch.cat([ramp[:, :2], flat[:, 2:]], dim=1)
    assert 0 < gradient_error(blue, ramp, border=0) < slope**2 / 20
    with pytest.raises(ValueError, match="3×3"):
        gradient_error(ramp, flat, border=5)
