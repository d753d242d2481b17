import pytest
import torch

from srlab import devices
from srlab.devices import autocast, free_memory, half_precision, precision_on


@pytest.fixture(params=["nothing", "_is_avx512_bf16_supported", "_is_amx_tile_supported"])
def processor(request, monkeypatch):
    """One that torch says can do this alone."""
    for question in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        answer = question == request.param
        monkeypatch.setattr(torch.cpu, question, lambda answer=answer: answer, raising=False)
    return request.param


def test_a_processor_is_given_half_precision_only_where_torch_says_it_has_it(processor):
    fast = processor != "nothing"
    assert half_precision("cpu") is fast
    assert precision_on("cpu") == ("bfloat16" if fast else "float32")
    with autocast(torch.device("cpu")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if fast else torch.float32)


@pytest.mark.parametrize("fast", [True, False])
def test_a_precision_that_is_named_is_taken(fast, monkeypatch):
    monkeypatch.setattr(devices, "half_precision", lambda _: fast)
    for name in ("float32", "bfloat16"):
        assert precision_on("cpu", name) == name


def test_a_gpu_is_asked_whether_it_emulates(monkeypatch):
    asked = []
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda **settings: asked.append(settings) or True
    )
    assert half_precision("cuda:1")
    assert asked == [{"including_emulation": False}]
    assert not half_precision("mps")


def test_free_memory_is_told_where_the_machine_says_it():
    assert free_memory("cpu") is None or 2**20 < free_memory("cpu") < 2**50
    assert free_memory("meta") is None
