import numpy as np
import pandas as pd
import torch

from srlab.degradations.windows import windows
from srlab.models import build
from srlab.studies.faig.effects import by_seed, effects, masking_effects
from srlab.studies.faig.outputs import KINDS, restored_psnr
from srlab.studies.networks import Tuned

PICTURES = {"a": torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))}


def test_the_same_weights_change_nothing_and_others_are_measured_on_every_kind():
    model, other = (build("srresnet", scale=2, channels=4, num_blocks=1) for _ in range(2))
    torch.nn.init.constant_(other.tail[-1].bias, 0.2)
    cut = windows(PICTURES, {kind: KINDS[kind] for kind in ("blur", "noise")}, count=2, size=32)
    networks = {"same": model.state_dict(), "other": other.state_dict()}
    found = effects(model, model.state_dict(), networks, cut)
    assert set(found) == {(name, kind) for name in networks for kind in ("blur", "noise")}
    for kind in ("blur", "noise"):
        assert (found["same", kind].change == 0).all()
        assert (found["other", kind].change > 0).all()
        expected = restored_psnr(model, other.state_dict(), cut)[kind]
        np.testing.assert_array_equal(found["other", kind].psnr, expected)


def test_masking_everything_but_biases_loses_what_was_gained():
    """All filters back at the baseline: all that fine-tuning gained is lost again."""
    before, after = (build("srresnet", scale=2, channels=4, num_blocks=1) for _ in range(2))
    after.load_state_dict(
        {
            name: own if name.endswith("weight") else before.state_dict()[name]
            for name, own in after.state_dict().items()
        }
    )
    net = Tuned("after", "before", after, before.state_dict(), after.state_dict())
    cut = windows(PICTURES, {kind: KINDS[kind] for kind in ("blur", "noise")}, count=3, size=32)
    filters = {
        name: torch.ones(own.weight.shape[:2], dtype=torch.bool)
        for name, own in after.named_modules()
        if isinstance(own, torch.nn.Conv2d)
    }
    none = {name: torch.zeros_like(mask) for name, mask in filters.items()}
    masks = {("all", 100): filters, ("none", 0): none}
    found = masking_effects([net, net], [masks, masks], cut, columns=["name", "share"])
    assert len(found) == 2 * 2 * 2 * 3  # networks, masks, kinds, windows
    assert set(found.input) == {"blur", "noise"}
    assert set(found.seed) == {0, 1}
    every, nothing = found[found.share == 100], found[found.name == "none"]
    np.testing.assert_allclose(every.lost, every.gained, atol=1e-9)
    assert (every.change > 0).all()
    assert (nothing[["change", "lost"]] == 0).all(axis=None)


def test_windows_count_by_what_fine_tuning_gained_on_them():
    rows = [(0, 1.0, 4.0), (0, 3.0, 4.0), (1, 0.0, 5.0), (1, -1.0, 5.0)]
    frame = pd.DataFrame(rows, columns=["seed", "lost", "gained"])
    frame = frame.assign(aim="blur", input="noise", change=2.0)
    found = by_seed(frame, ["aim"])
    assert found.seed.tolist() == [0, 1]
    np.testing.assert_allclose(found.undone, [4 / 8, -1 / 10])
    np.testing.assert_allclose(found.change, 2)
