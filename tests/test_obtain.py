import pytest

from srlab.checkpoints import CheckpointError
from srlab.training.obtain import obtainable


def test_only_what_is_shipped_can_be_had_without_training():
    assert obtainable(["srresnet-gr", "nowhere", "fsrcnn"]) == ["srresnet-gr", "fsrcnn"]
    assert obtainable(["srresnet-gr", "srcnn-3"], train=True) == ["srresnet-gr", "srcnn-3"]
    with pytest.raises(CheckpointError, match=r"none of nowhere is shipped; `srlab train"):
        obtainable(["nowhere"])
    with pytest.raises(CheckpointError, match="no names"):
        obtainable([])
