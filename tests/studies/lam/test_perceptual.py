"""LPIPS is an extra: asked for, it is there whole or not at all."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from srlab.studies.lam import perceptual


class Pretended(nn.Module):
    """In the place of LPIPS: mean absolute difference, (B, 1, 1, 1), of pictures in [−1, 1]."""

    def __init__(self, net, verbose):
        super().__init__()
        assert net == "alex"
        assert not verbose

    def forward(self, sr, hr):
        assert max(sr.abs().max(), hr.abs().max()) <= 1
        return (sr - hr).abs().mean(dim=(1, 2, 3), keepdim=True)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / perceptual.BACKBONE).touch()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=Pretended))
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_it_is_fed_pictures_between_minus_one_and_one():
    sr, hr = torch.full((2, 3, 8, 8), 1.5), torch.full((2, 3, 8, 8), 0.25)
    distance = perceptual.lpips_distance()
    assert distance(sr, hr).tolist() == pytest.approx([1.5, 1.5])


def test_without_its_weights_or_its_package_there_is_none(installed, monkeypatch):
    monkeypatch.setitem(sys.modules, "lpips", None)
    assert perceptual.lpips_distance() is None
    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=Pretended))
    (installed / "checkpoints" / perceptual.BACKBONE).unlink()
    assert perceptual.lpips_distance() is None
