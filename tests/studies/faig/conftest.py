import pytest
import torch

from srlab.models import build
from srlab.studies.networks import Tuned


@pytest.fixture
def net():
    """A small network, and the same after a small change of its weights."""
    model = build("srresnet", scale=2, channels=4, num_blocks=1).eval()
    baseline = {name: own.clone() for name, own in model.state_dict().items()}
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for own in model.parameters():
            own += 0.02 * torch.randn(own.shape, generator=rng)
    return Tuned("after", "before", model, baseline, model.state_dict())
