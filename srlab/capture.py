"""Look inside any network: copies of what its layers put out during a forward pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

Hook = Callable[[nn.Module, object, object], None]


class _Stop(Exception):  # noqa: N818  it ends a forward pass and is no error
    pass


class OperationWatch(TorchDispatchMode):
    """A base of what watches every operation of torch while it is entered."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Leave torch's compiler alone, whose import takes two seconds."""
        return False


@contextmanager
def capture(
    model: nn.Module, layers: Sequence[str], *, stop: bool = False, detach: bool = True
) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of `layers` (dotted module names) while the block runs.

    The mapping is filled by each forward pass, layers in the order they ran, and holds detached
    copies: later changes in the network cannot reach them. Without `detach` it holds the outputs
    themselves, through which gradients flow. Every hook is gone afterwards, also after an error or
    a misspelt name. With `stop`, the block ends as soon as every layer has run, and the rest of the
    network is not computed.

    >>> with capture(model, ["body.15"]) as features:
    ...     model(lr)
    >>> features["body.15"].shape  # (B, C, h, w)
    """
    features: dict[str, Tensor] = {}

    def keep(name: str) -> Hook:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if not isinstance(output, Tensor):
                raise TypeError(
                    f"layer {name!r} returns {type(output).__name__}, not a tensor; "
                    "capture a layer inside it"
                )
            features[name] = output.detach().clone() if detach else output
            if stop and len(features) == len(set(layers)):
                raise _Stop

        return hook

    with suppress(_Stop), ExitStack() as hooks:
        for name in layers:
            hooks.enter_context(_submodule(model, name).register_forward_hook(keep(name)))
        yield features


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The dotted names `capture` understands: every module with weights or children, in order."""
    return tuple(name for name, _ in model.named_modules() if name)


def _submodule(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        known = ", ".join(getattr(model, "taps", layer_names(model))[:12])
        raise ValueError(
            f"{type(model).__name__} has no layer {name!r}; it has {known}, …"
        ) from error


@contextmanager
def frozen(model: Any) -> Iterator[None]:
    """Eval mode without weight gradients inside, everything as before afterwards.

    Frozen weights need no stored activations; eval mode keeps BatchNorm from changing.
    """
    modules = [*model.modules()] if isinstance(model, nn.Module) else []
    training = [module for module in modules if module.training]
    weights = [weight for module in modules for weight in module.parameters(recurse=False)]
    learning = [weight for weight in weights if weight.requires_grad]

    def switch(on: bool) -> None:
        for weight in learning:
            weight.requires_grad_(on)
        for module in training:
            module.training = on

    try:
        switch(False)
        yield
    finally:
        switch(True)
