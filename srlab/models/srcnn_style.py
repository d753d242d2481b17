"""The plain network of FAIG (Sec. 5.1): SRCNN's chain of convolutions, enlarging at its end."""

from torch import nn

from srlab.models.blocks import PixelShuffleUpsampler, SuperResolver, conv3x3, he_initialization


class SRCNNStyle(SuperResolver):
    """3×3 convolutions without skips on the LR grid; `num_layers` counts all convolutions.

    The enlarged input is added to the output, as in `SRResNet`.
    """

    global_residual = True

    def __init__(self, *, scale: int = 2, channels: int = 64, num_layers: int = 9) -> None:
        super().__init__(scale)
        self.head = nn.Sequential(conv3x3(3, channels), nn.LeakyReLU(0.1))
        self.upsampler = PixelShuffleUpsampler(channels, scale)
        behind = sum(isinstance(module, nn.Conv2d) for module in self.upsampler) + 1
        if num_layers < behind + 2:
            raise ValueError(
                f"at ×{scale} the network has at least {behind + 2} layers, got {num_layers}"
            )
        depth = num_layers - 1 - behind
        self.body = nn.Sequential(
            *(nn.Sequential(conv3x3(channels, channels), nn.LeakyReLU(0.1)) for _ in range(depth))
        )
        self.tail = conv3x3(channels, 3)
        he_initialization(self, slope=0.1)
        nn.init.normal_(self.tail.weight, std=1e-3)
