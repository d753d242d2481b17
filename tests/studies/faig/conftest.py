import pytest
import torch

from srlab.models import build
from srlab.studies.networks import Tuned


@pytest.fixture
def net():
    """A small network, and the same after a small change of its weights."""
    model = build("srresnet", scale=2, channels=4, num_blocks=1).eval()
    rng = torch.Generator().manual_seed(0)
    ends = []
    with torch.no_grad():
        for size in (0.1, 0.01):
            for own in model.parameters():
                moved = size * torch.randn(own.shape, generator=rng)
                own.copy_(own + moved if ends else moved)
            ends.append({name: own.clone() for name, own in model.state_dict().items()})
    return Tuned("after", "before", model, *ends)
