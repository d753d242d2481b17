import numpy as np
import torch

from srlab.data.examples import examples
from srlab.models import build
from srlab.studies.faig.effects import effects
from srlab.studies.faig.outputs import KINDS, restored_psnr

PICTURES = {"a": torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))}


def test_the_same_weights_change_nothing_and_others_are_measured_on_every_kind():
    model, other = (build("srresnet", scale=2, channels=4, num_blocks=1) for _ in range(2))
    torch.nn.init.constant_(other.tail[-1].bias, 0.2)
    windows = examples(
        PICTURES, {kind: KINDS[kind] for kind in ("blur", "noise")}, count=2, size=32
    )
    networks = {"same": model.state_dict(), "other": other.state_dict()}
    found = effects(model, model.state_dict(), networks, windows)
    assert set(found) == {(name, kind) for name in networks for kind in ("blur", "noise")}
    for kind in ("blur", "noise"):
        assert (found["same", kind].change == 0).all()
        assert (found["other", kind].change > 0).all()
        expected = restored_psnr(model, other.state_dict(), windows)[kind]
        np.testing.assert_array_equal(found["other", kind].psnr, expected)
