import pytest
import torch

from srlab.networks.state_dicts import restored, rounded, stored

GENERATOR = torch.Generator().manual_seed(0)
WEIGHTS = {
    "conv.weight": torch.randn(6, 4, 3, 3, generator=GENERATOR)
    * torch.logspace(-6, 3, 6)[:, None, None, None],
    "linear.weight": torch.randn(5, 7, generator=GENERATOR),
    "conv.bias": torch.randn(6, generator=GENERATOR),
    "num_batches_tracked": torch.tensor(250_000),
    "index": torch.arange(70_000, 70_005, dtype=torch.int32),
}


@pytest.mark.parametrize("bits", [8, 16])
def test_what_was_rounded_once_stays_as_it_is(bits):
    once = rounded(WEIGHTS, bits)
    assert once.keys() == WEIGHTS.keys()
    again = rounded(once, bits)
    assert all(torch.equal(again[key], once[key]) for key in once)
    assert torch.equal(once["index"], WEIGHTS["index"])
    assert once["num_batches_tracked"] == 65_504
    assert torch.equal(once["conv.bias"], WEIGHTS["conv.bias"].half().float())


def test_eight_bits_err_by_half_a_step_of_their_row():
    for key in ("conv.weight", "linear.weight"):
        error = (rounded(WEIGHTS, 8)[key] - WEIGHTS[key]).flatten(1).abs().amax(dim=1)
        largest = WEIGHTS[key].flatten(1).abs().amax(dim=1)
        assert (error <= largest * (0.5 / 127 + 2**-8)).all()  # steps have 8 bits themselves
    inner = WEIGHTS["linear.weight"].abs() < 0.9 * WEIGHTS["linear.weight"].abs().amax(1)[:, None]
    error = (rounded(WEIGHTS, 8)["linear.weight"] - WEIGHTS["linear.weight"])[inner].abs().max()
    assert error <= WEIGHTS["linear.weight"].abs().max() / 127 * 0.51


def test_fine_steps_err_by_a_part_in_thirty_thousand_and_stay_as_they_are():
    once = rounded(WEIGHTS, fine=True)
    assert all(torch.equal(own, once[key]) for key, own in rounded(once, fine=True).items())
    for key in ("conv.weight", "linear.weight"):
        error = (once[key] - WEIGHTS[key]).flatten(1).abs().amax(dim=1)
        assert (error <= WEIGHTS[key].flatten(1).abs().amax(dim=1) / 32_000).all()
    assert torch.equal(once["conv.bias"], WEIGHTS["conv.bias"])
    assert stored(WEIGHTS, fine=True)[0]["conv.weight"].dtype == torch.int16
    zero = {"weight": torch.zeros(2, 3, 1, 1)}
    assert torch.equal(rounded(zero, fine=True)["weight"], zero["weight"])


def test_eight_bits_take_half_the_room():
    held = {bits: stored(WEIGHTS, bits) for bits in (8, 16)}
    assert held[8][0]["conv.weight"].dtype == torch.int8
    assert held[8][1].keys() == {"conv.weight", "linear.weight"}
    assert held[8][0][held[8][1]["conv.weight"]].shape == (6,)
    assert held[16][0]["conv.weight"].dtype == torch.float16
    assert held[16][0].keys() == WEIGHTS.keys()
    assert held[16][1] == {}


def test_the_header_alone_says_what_is_in_eight_bits():
    """No name is special: a network may call a tensor of its own as it likes."""
    named = {"a": torch.ones(2, 2), "a.int8_step": torch.ones(2), "b.changed": torch.ones(3, 3)}
    assert all(torch.equal(own, named[key]) for key, own in restored(*stored(named, 16)).items())
    assert restored(*stored(named, 8)).keys() == named.keys()


def test_a_row_of_zeros_is_held():
    zero = {"weight": torch.zeros(2, 3, 1, 1)}
    assert torch.equal(rounded(zero, 8)["weight"], zero["weight"])


def test_a_network_needs_eight_or_sixteen_bits():
    with pytest.raises(ValueError, match="8 or 16 bits, got 4"):
        stored(WEIGHTS, 4)
    with pytest.raises(ValueError, match="finely in 16 alone"):
        stored(WEIGHTS, 8, fine=True)
