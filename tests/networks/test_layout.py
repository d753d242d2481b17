import torch
from torch import nn

from srlab.models import SRResNet, build
from srlab.networks.layout import laid_out


def test_only_our_own_networks_are_given_channels_last():
    class Sub(SRResNet):
        """Its forward may view what it likes."""

    images = torch.rand(2, 3, 4, 5)
    ours = laid_out(images, build("srresnet", channels=4, num_blocks=1))
    assert ours.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(ours, images)
    for stranger in (Sub(channels=4, num_blocks=1), nn.Conv2d(3, 3, 1), lambda lr: lr):
        assert laid_out(images, stranger) is images
    bias = torch.rand(3)
    assert laid_out(bias, build("srresnet", channels=4, num_blocks=1)) is bias
