import pytest
import torch
from torch import nn

from srlab.capture import capture, layer_names
from srlab.models import build


@pytest.fixture
def model():
    return build("srresnet", scale=2, channels=8, num_blocks=2).double()


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_captured_features_equal_recomputed_ones(model):
    lr = torch.rand(2, 3, 9, 11, dtype=torch.float64)
    with capture(model, ["body.0", "body"]) as features:
        model(lr)
    shallow = model.body[0](model.head(lr))
    torch.testing.assert_close(features["body.0"], shallow)
    torch.testing.assert_close(features["body"], model.body[1](shallow))


def test_features_are_copies():
    class Overwrites(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x):
            out = self.inner(x * 1)
            out.zero_()
            return out

    network = Overwrites()
    with capture(network, ["inner"]) as features:
        network(torch.ones(1, 3, 4, 4))
    assert features["inner"].sum() == 48


def test_gradients_flow_through_features_only_where_they_are_asked_for(model):
    lr = torch.rand(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    for asked in (False, True):
        with capture(model, ["body.0"], stop=True, detach=not asked) as features:
            model(lr)
        assert features["body.0"].requires_grad is asked


def test_stop_skips_the_rest(model):
    ran = []
    model.tail.register_forward_hook(lambda *_: ran.append(1))
    lr = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    with capture(model, ["body.1", "body.0"], stop=True) as features:
        model(lr)
    assert set(features) == {"body.0", "body.1"}
    assert not ran
    assert hooks(model) == 1  # our own on the tail


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_hook_is_left_after_an_error(model, error):
    with pytest.raises(error), capture(model, ["body.0"]):
        raise error
    assert hooks(model) == 0


def test_a_misspelt_layer_is_named_and_leaves_no_hook(model):
    with (
        pytest.raises(ValueError, match=r"no layer 'body\.99'; it has head, body\.0"),
        capture(model, ["body.0", "body.99"]),
    ):
        pass
    assert hooks(model) == 0


def test_a_layer_that_returns_a_tuple_is_refused():
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    network = nn.Sequential(Pair())
    with pytest.raises(TypeError, match="returns tuple"), capture(network, ["0"]):
        network(torch.ones(1))


def test_layer_names_are_captured_names(model):
    assert set(model.taps) <= set(layer_names(model))
