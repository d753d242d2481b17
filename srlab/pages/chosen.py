"""Networks as a command line names them, each with what belongs to it alone."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

PUBLISHED = "official:"  # before the name of published weights, some of which srlab has itself


@dataclass(frozen=True)
class Chosen:
    """One network; `model` is its address or `checkpoint` the name of one that is known."""

    model: str | None = None
    checkpoint: str | None = None
    weights: str | None = None
    multiple: str = "1"
    value_range: str = "1"
    output_index: str | None = None

    def __str__(self) -> str:
        if self.model is None:
            return f"{self.checkpoint}"
        return f"{self.model} {Path(self.weights).name}" if self.weights else self.model

    def network(self) -> "nn.Module":
        """Built or loaded, with its weights."""
        if self.model is not None:
            from srlab.networks.foreign import load_network

            sys.path.insert(0, str(Path.cwd()))
            return load_network(self.model, self.weights)
        name = f"{self.checkpoint}"
        if name.startswith(PUBLISHED):
            from srlab.checkpoints.official import load_official, official_from_file

            published = name.removeprefix(PUBLISHED)
            if self.weights:
                return official_from_file(published, self.weights)
            return load_official(published)[0]
        if self.weights:
            raise ValueError(
                f"--weights belongs to --model and to {PUBLISHED}NAME; a checkpoint brings its own"
            )
        from srlab.checkpoints.files import load_checkpoint

        return load_checkpoint(name)[0]

    def adapt(self) -> dict[str, Any]:
        """What `contract.connect` has to know of it."""
        return {
            "multiple": whole_numbers("--multiple", self.multiple, 1)[0],
            "value_range": _range(self.value_range),
            "output": self.output_index,
        }


def chosen_networks(
    order: Sequence[str], given: Mapping[str, Sequence[str] | None]
) -> dict[str, Chosen]:
    """{what to call it: network} in the order of the options; a second of one name is numbered.

    `given` holds the values of each option, `order` the options' names as they came. What follows
    a network belongs to it; what comes before the first, to all.
    """
    values = {name: iter(texts or ()) for name, texts in given.items()}
    networks: list[dict[str, str]] = []
    common: dict[str, str] = {}
    for option in (name for name in order if name in given):
        value = next(values[option])
        if option in ("model", "checkpoint"):
            networks.append({option: value})
            continue
        owner = networks[-1] if networks else common
        if option in owner:
            raise ValueError(f"{owner[option]!r} and {value!r} are given for one network")
        owner[option] = value
    if not networks:
        raise ValueError(
            "name one network or several: --model package.module:factory for yours, "
            "--checkpoint for those that `srlab list checkpoints` and `srlab list official` show"
        )
    seen: Counter[str] = Counter()
    named = {}
    for chosen in (Chosen(**{**common, **own}) for own in networks):
        seen[f"{chosen}"] += 1
        number = seen[f"{chosen}"]
        named[f"{chosen}" if number == 1 else f"{chosen} ({number})"] = chosen
    return named


def whole_numbers(option: str, text: str, *counts: int) -> tuple[int, ...]:
    """The numbers between commas; `counts` is how many there may be."""
    with suppress(ValueError):
        numbers = tuple(int(part) for part in text.split(","))
        if len(numbers) in counts:
            return numbers
    many = " or ".join(map(str, counts))
    raise ValueError(f"{option} takes {many} whole number{'s' * (counts != (1,))}, got {text!r}")


def _range(text: str) -> tuple[float, float]:
    with suppress(ValueError):
        *low, high = (float(part) for part in text.split(","))
        if len(low) < 2:
            return (low[0] if low else 0.0, high)
    raise ValueError(f"--range takes HIGH or LOW,HIGH, as in 255 or -1,1; got {text!r}")
