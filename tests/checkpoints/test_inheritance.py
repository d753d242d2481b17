from dataclasses import replace

import pytest
import torch

from srlab.checkpoints.files import (
    CheckpointError,
    Provenance,
    load_checkpoint,
    read_checkpoint,
    save_checkpoint,
)
from srlab.checkpoints.inheritance import own_weights, whole_weights
from srlab.checkpoints.storage import rounded
from srlab.models import build

SETTINGS = {"scale": 2, "channels": 6, "num_blocks": 2}


def weights(seed=0):
    torch.manual_seed(seed)
    return {key: t.half() for key, t in build("srresnet", **SETTINGS).state_dict().items()}


def changed(base, *, kernels=0, biases=0):
    """The weights with so many kernels of one convolution, and so many biases, moved."""
    new = {key: tensor.clone() for key, tensor in base.items()}
    new["body.0.conv1.weight"].view(-1, 9)[:kernels] += 1
    for key in list(new)[1 : 2 * biases : 2]:
        new[key] += 1
    return new


@pytest.mark.parametrize(("kernels", "biases"), [(0, 0), (1, 0), (5, 1), (17, 0), (18, 2), (36, 3)])
def test_own_and_inherited_make_the_whole_again(kernels, biases):
    base = weights()
    new = changed(base, kernels=kernels, biases=biases)
    whole = whole_weights(own_weights(new, base), base)
    assert whole.keys() == new.keys()
    assert all(torch.equal(whole[key], new[key]) for key in new)


def test_only_what_changed_is_kept():
    base = weights()
    own = own_weights(changed(base, kernels=2, biases=1), base)
    assert sum(tensor.numel() for tensor in own.values()) == 2 + 2 * 9 + base["head.0.bias"].numel()


def test_what_has_another_shape_or_name_is_no_heritage():
    base = weights()
    narrow = {"head.0.weight": base["head.0.weight"][:3], "new": torch.ones(2)}
    own = own_weights(narrow, base)
    assert all(own[key] is narrow[key] for key in narrow)


@pytest.fixture(params=[8, 16])
def family(tmp_path, request):
    """(path of a base, path of what was made of it, the latter's weights)."""
    bits = request.param
    base = Provenance(name="base", architecture="srresnet", hyperparameters=SETTINGS)
    first = save_checkpoint(tmp_path / "base.safetensors", weights(), base, bits=bits)
    new = rounded(changed(rounded(weights(), bits), kernels=3), bits)
    heir = replace(base, name="heir", recipe={"start": {"": str(first)}})
    return first, save_checkpoint(tmp_path / "heir.safetensors", new, heir, bits=bits), new


def test_an_heir_is_small_and_loads_whole(family):
    base, heir, new = family
    assert heir.stat().st_size < base.stat().st_size / 2
    loaded = load_checkpoint(heir)[0].state_dict()
    assert all(torch.equal(loaded[key], new[key].float()) for key in new)


def test_an_heir_of_a_part_loads_whole(tmp_path):
    hyperparameters = {**SETTINGS, "guide_channels": 6, "guide_blocks": 2}
    guide = save_checkpoint(
        tmp_path / "guide.safetensors", weights(), Provenance("guide", "srresnet", SETTINGS)
    )
    model = build("guided-srresnet", **hyperparameters)
    model.guide.load_state_dict(
        {key: t.float() for key, t in weights().items() if key.startswith(("head", "body"))}
    )
    provenance = Provenance(
        "heir", "guided-srresnet", hyperparameters, recipe={"start": {"guide": str(guide)}}
    )
    path = save_checkpoint(tmp_path / "heir.safetensors", model.state_dict(), provenance)
    loaded = load_checkpoint(path)[0]
    for key, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor.half().float())


def test_an_heir_of_another_is_refused(family):
    base, heir, _ = family
    save_checkpoint(base, weights(seed=1), Provenance("base", "srresnet", SETTINGS))
    with pytest.raises(CheckpointError, match=r"holds what it changed of '.*', but of another"):
        load_checkpoint(heir)


def test_a_network_that_changed_everywhere_needs_no_other(family, tmp_path):
    base, *_ = family
    provenance = Provenance("own", "srresnet", SETTINGS, recipe={"start": {"": str(base)}})
    path = save_checkpoint(tmp_path / "own.safetensors", changed(weights(1), biases=9), provenance)
    base.unlink()
    assert read_checkpoint(path)[1].inherited == {}
