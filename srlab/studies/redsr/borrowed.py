"""Pictures restored with codes of other pictures: does it matter whose code it is?"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from srlab.metrics import psnr
from srlab.models.degradation_aware import BlindSuperResolver


@torch.no_grad()
def restored_with(model: BlindSuperResolver, lr: Tensor, codes: np.ndarray) -> Tensor:
    """One LR image (3, h, w) restored with each of codes (N, D): (N, 3, scale·h, scale·w)."""
    told = torch.from_numpy(codes).to(lr.device)
    return model.restore(lr.expand(len(told), -1, -1, -1), told)


def borrowed_changes(
    model: BlindSuperResolver,
    targets: tuple[Tensor, Tensor],
    codes: Mapping[str, np.ndarray],
    own: str,
    lenders: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """PSNR in dB above that with the target's own code, {kind: (T, L)}, of borrowed codes.

    `targets` are T windows (LR, HR), the first ones of those that gave `codes` {kind: (W, D)};
    they suffered the kind `own`. `lenders` are the windows whose code of a kind is borrowed.
    """

    def quality(target: int, some: np.ndarray) -> np.ndarray:
        lr, hr = (images[target] for images in targets)
        sr = restored_with(model, lr, some)
        return psnr(sr, hr.expand_as(sr), border=4).cpu().numpy()

    count = range(len(targets[0]))
    base = [quality(target, codes[own][[target]]) for target in count]
    return {
        kind: np.stack([quality(t, codes[kind][rows]) - base[t] for t in count])
        for kind, rows in lenders.items()
    }
