import numpy as np
import pytest
import torch

from srlab.degradations.filters import upsample
from srlab.metrics import psnr, ssim
from srlab.studies.ddr.guidance import METRICS, exchanged_guidance, restored_quality
from srlab.studies.ddr.natural_statistics import niqe


@pytest.fixture
def hr():
    noise = torch.rand(3, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    return upsample(noise, 8).clamp(0, 1)  # (3, 3, 192, 192)


def test_every_content_is_judged_by_itself_and_nature_by_all(hr):
    versions = {"clean": hr[..., ::4, ::4], "flat": hr[..., ::4, ::4] * 0.5 + 0.2}
    rows = [*restored_quality(lambda lr: upsample(lr, 4), versions, hr, batch_size=2)]
    assert [(row["degradation"], row["content"]) for row in rows] == [
        (kind, content) for kind in versions for content in range(3)
    ]
    sr = upsample(versions["flat"], 4)
    expected = [psnr(sr, hr, border=4), ssim(sr, hr, border=4), [niqe(sr.clamp(0, 1))] * 3]
    found = [[row[metric] for metric in METRICS] for row in rows[3:]]
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-5)


class Told:
    """Adds to the enlarged picture by how much the other one is brighter."""

    def guided_by(self, lr, other):
        return upsample(lr, 4) + (other.mean(dim=(1, 2, 3), keepdim=True) - lr.mean())


def test_false_guidance_costs_where_it_is_another_degradations(hr):
    hr = hr[:1].repeat(3, 1, 1, 1) * 0.5  # equal contents: those of the next tell nothing new
    versions = {"dark": hr[..., ::4, ::4], "bright": hr[..., ::4, ::4] + 0.2}
    told, content = exchanged_guidance(Told(), versions, hr, count=2)
    assert (told.shape, content.shape) == ((2, 2), (2,))
    np.testing.assert_allclose(content, told.diagonal(), rtol=1e-4)
    assert told[0, 0] > told[0, 1]
