"""Any network by one line of text: the reader's own, a shipped one, a published one, a file."""

import ast
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from srlab.checkpoints.files import load_checkpoint, shipped_checkpoints
from srlab.networks.contract import UNIT, Adaptation, Adapter, Range
from srlab.networks.foreign import NetworkError, load_network, network_from_file
from srlab.networks.state_dicts import (
    existing,
    is_safetensors,
    load_weights,
    read_safetensors,
    read_weights,
)

OFFICIAL = "official:"  # before the name of published weights, some of which srlab has itself
SETTINGS = ("weights", "range", "multiple", "output")
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class NetworkSpec:
    """A network as it was named, and what else belongs to it alone."""

    address: str
    weights: Path | None = None
    value_range: Range = UNIT  # of the values that the network itself is fed
    multiple: int = 1  # to which heights and widths are padded
    output: str | None = None  # which part of the network's answer is the image

    def __str__(self) -> str:
        return f"{self.address} {self.weights.name}" if self.weights else self.address

    @property
    def adapt(self) -> dict[str, Any]:
        """What `contract.connect` has to know of it."""
        return {"value_range": self.value_range, "multiple": self.multiple, "output": self.output}

    def network(self) -> nn.Module:
        """Built or loaded, in eval mode; fed what it was trained on, not [0, 1]."""
        if self.address.startswith(OFFICIAL):
            from srlab.checkpoints.official import load_official, official_from_file

            name = self.address.removeprefix(OFFICIAL)
            return official_from_file(name, self.weights) if self.weights else load_official(name)
        shipped, file = self.address in shipped_checkpoints(), Path(self.address).expanduser()
        if shipped or file.is_file():
            if self.weights:
                raise NetworkError(
                    f"{self.address} brings its own weights; others go with package.module:factory "
                    f"or {OFFICIAL}NAME"
                )
            if shipped or (is_safetensors(file) and read_safetensors(file)[1] is not None):
                return load_checkpoint(self.address if shipped else file)[0]
            return network_from_file(file)
        if ":" not in self.address:
            raise NetworkError(
                f"no network {self.address!r}: not a file, not package.module:factory, not "
                f"{OFFICIAL}NAME, and not one of the shipped {', '.join(shipped_checkpoints())}"
            )
        network = load_network(self.address)
        if self.weights:
            load_weights(network, read_weights(self.weights))
        return network


def load(spec: str | Path, *, weights: str | Path | None = None) -> nn.Module:
    """A network in eval mode that is fed [0, 1]; see `parse_spec` for what it may be called.

    Settings in the text, as in "mynet:Net,range=255", are done around it by an `Adapter`.

    >>> network = load("fsrcnn")
    >>> network = load("official:imdn")  # doctest: +SKIP
    >>> network = load("mypackage.nets:Net(channels=64)", weights="mine.pth")  # doctest: +SKIP
    """
    found = parse_spec(f"{spec}")
    if weights is not None:
        if found.weights:
            raise NetworkError(f"two files of weights for one network: {found.weights}, {weights}")
        found = replace(found, weights=_file(f"{weights}"))
    network, adaptation = found.network(), Adaptation(**found.adapt)
    return network if adaptation == Adaptation() else Adapter(network, adaptation).eval()


def parse_spec(text: str) -> NetworkSpec:
    """Read "NETWORK,setting=value,…" without running anything.

    NETWORK is a shipped checkpoint ("edsr"), published weights ("official:imdn"), the reader's own
    code ("folder/package.module:factory(channels=64)") or a file of weights whose architecture
    srlab or spandrel finds. Settings: weights=FILE; range=255 or range=[-1,1], the values it takes;
    multiple=8, of its heights and widths; output=0, the image's place in its answer. Commas in
    brackets and quotes part nothing.

    >>> parse_spec("mynet:Net(64),weights=mine.pth,range=255")
    """
    if Path(text).is_file():  # whatever signs its name has
        return NetworkSpec(text)
    address, *parts = (part.strip() for part in _split(text))
    if not address:
        raise NetworkError(f"{text!r} names no network; it comes first: mynet:Net,range=255")
    given: dict[str, str] = {}
    for part in parts:
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or key not in SETTINGS:
            raise NetworkError(
                f"cannot read {part!r} in {text!r}: settings are {', '.join(SETTINGS)}, as in "
                "weights=mine.pth or range=[-1,1]; what holds commas goes in brackets or quotes"
            )
        if key in given:
            raise NetworkError(f"{key} is given twice in {text!r}")
        given[key] = _unquoted(value)
    return NetworkSpec(
        _unquoted(address),
        weights=_file(given["weights"]) if "weights" in given else None,
        value_range=_range(given.get("range", "1")),
        multiple=_multiple(given.get("multiple", "1")),
        output=given.get("output"),
    )


def parse_specs(texts: Iterable[str]) -> dict[str, NetworkSpec]:
    """{what to call it: network} in their order; a second of one name is numbered."""
    seen: Counter[str] = Counter()
    named = {}
    for spec in map(parse_spec, texts):
        name = f"{spec}"
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = spec
    return named


def _split(text: str) -> list[str]:
    """At commas that stand in no bracket and no quote."""
    parts, closing, quote = [""], [], ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in CLOSING:
            closing.append(CLOSING[sign])
        elif sign in CLOSING.values() and (not closing or closing.pop() != sign):
            raise NetworkError(f"{sign!r} closes no bracket in {text!r}")
        elif sign == "," and not closing:
            parts.append("")
            continue
        parts[-1] += sign
    if quote or closing:
        raise NetworkError(f"{quote or closing[-1]!r} is missing at the end of {text!r}")
    return parts


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text


def _file(name: str) -> Path:
    return existing(Path(name).expanduser())


def _range(text: str) -> Range:
    with suppress(ValueError, SyntaxError, TypeError):
        found = ast.literal_eval(text)
        low, high = found if isinstance(found, tuple | list) else (0, found)
        if low < high:
            return float(low), float(high)
    raise NetworkError(f"range takes its upper end or both, as in 255 or [-1,1]; got {text!r}")


def _multiple(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise NetworkError(f"multiple takes a whole number of at least 1, got {text!r}")
    return int(text)
