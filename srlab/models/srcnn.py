"""SRCNN (Dong et al., TPAMI 2016), of any depth: convolutions on the bicubically enlarged input."""

from itertools import pairwise

from torch import Tensor, nn

from srlab.degradations.filters import upsample
from srlab.models.blocks import SuperResolver, he_initialization


class SRCNN(SuperResolver):
    """9×9, then 5×5 convolutions ("9-5-5" at depth 3, the widest of the paper's three).

    `mapping_kernel` is the side of those between the first and the last: 1 makes it "9-1-5".
    `global_residual` adds the enlarged input to the output; DDR (Sec. A.7) deepens the network
    from 3 to 13 layers with it.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        depth: int = 3,
        channels: int = 64,
        mapping_channels: int = 32,
        mapping_kernel: int = 5,
        global_residual: bool = False,
    ) -> None:
        super().__init__(scale)
        if depth < 3:
            raise ValueError(f"SRCNN has at least 3 layers, got depth={depth}")
        if mapping_kernel % 2 == 0:
            raise ValueError(f"a kernel has a middle: mapping_kernel is odd, got {mapping_kernel}")
        self.global_residual = global_residual
        self.head = nn.Sequential(nn.Conv2d(3, channels, 9, padding=4), nn.ReLU())
        self.body = nn.Sequential()
        for before, after in pairwise((channels, *[mapping_channels] * (depth - 2))):
            conv = nn.Conv2d(before, after, mapping_kernel, padding=mapping_kernel // 2)
            self.body.append(nn.Sequential(conv, nn.ReLU()))
        self.tail = nn.Conv2d(mapping_channels, 3, 5, padding=2)
        he_initialization(self)
        nn.init.normal_(self.tail.weight, std=1e-3)

    def extract(self, lr: Tensor) -> Tensor:
        return lr

    def reconstruct(self, features: Tensor, lr: Tensor) -> Tensor:
        enlarged = upsample(features, self.scale)
        sr = self.tail(self.body(self.head(enlarged)))
        return sr + enlarged if self.global_residual else sr
