"""Advice with settings in it, which each door to srlab writes in its own way."""

from collections.abc import Callable
from typing import NamedTuple


class Setting(NamedTuple):
    """A keyword and its value, as Python writes it."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class Advice:
    """Words and settings in turn; as text, the settings are Python's keywords.

    >>> print(Advice("cut a part out, ", Setting("crop", "128")))
    cut a part out, crop=128
    """

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def __str__(self) -> str:
        return self.written(str)

    def written(self, write: Callable[[Setting], str]) -> str:
        """The same with settings as `write` has them."""
        said = (write(part) if isinstance(part, Setting) else f"{part}" for part in self.parts)
        return "".join(said)


class AdvisedError(ValueError):
    """An error whose words hold settings that would help."""

    def __init__(self, *parts: object) -> None:
        self.advice = Advice(*parts)
        super().__init__(f"{self.advice}")
