"""ResNet-18 for 32×32 pictures (He et al., CVPR 2016): the classifier DDR compares with."""

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch normalization and a shortcut around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.residual(x) + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18: (B, 3, h, w) in [0, 1] → (B, num_classes) logits; h and w at least 16.

    The first convolution keeps the resolution, as is usual for CIFAR-10. The stages carry the
    paper's names; `channels` is 64 there.
    """

    taps = ("conv2_x", "conv3_x", "conv4_x", "conv5_x")

    def __init__(self, *, num_classes: int = 10, channels: int = 64) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        before = channels
        for stage, name in enumerate(self.taps):
            after = channels * 2**stage
            first = BasicBlock(before, after, stride=1 if stage == 0 else 2)
            self.add_module(name, nn.Sequential(first, BasicBlock(after, after, stride=1)))
            before = after
        self.tail = nn.Linear(before, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        if min(images.shape[-2:]) < 16:
            raise ValueError(f"ResNet18 needs at least 16×16 pixels, got {tuple(images.shape)}")
        features = self.head((images - 0.45) / 0.25)
        for name in self.taps:
            features = self.get_submodule(name)(features)
        return self.tail(features.mean(dim=(2, 3)))
