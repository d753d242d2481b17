"""How a reader chooses among an explorer's states: axes of named values, pills and sliders."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self

import traitlets as T

from srlab.explorers.live import Explorer


class Control(NamedTuple):
    """One axis of the states, how it is chosen, and what playing it along would show."""

    axis: str  # the trait's name: `explorer.layer`
    title: str
    form: Literal["pills", "slider"] = "pills"
    play: str = ""  # "the training"; no play button without


class Choice(T.Unicode):
    """A value of one axis; refuses what the explorer has not."""

    def validate(self, obj: Any, value: Any) -> Any:
        """The value, if `obj.meta` lists it."""
        return one_of(str(self.name), super().validate(obj, value), obj.meta["axes"][self.name])


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """The value of an axis, or an error that lists what there is."""
    if value not in known:
        raise T.TraitError(f"unknown {name} {value!r}; this explorer has {', '.join(known)}")
    return value


class ChoiceExplorer(Explorer):
    """States by named axes, one shown at a time; each axis is a trait of its own.

    `meta` holds controls, axes, states, and what a subclass adds.
    """

    @classmethod
    def _made(
        cls,
        meta: Mapping[str, Any],
        states: Mapping[Any, Any],
        controls: Sequence[Control],
        axes: Mapping[str, Sequence[str]],
        *,
        start: tuple[str, ...] | None,
        compute: Callable[..., Any] | None,
        **traits: Any,
    ) -> Self:
        """The explorer, at `start` or the first of the states."""
        choice = {
            "controls": [control._asdict() for control in controls],
            "axes": axes,
            "states": [
                [axes[c.axis].index(v) for c, v in zip(controls, setting, strict=True)]
                for setting in states
            ],
        }
        first = dict(zip(axes, next(iter(states)) if start is None else start, strict=True))
        own = {axis: Choice().tag(sync=True) for axis in axes}
        made = type(cls.__name__, (cls,), {"__module__": cls.__module__, **own})
        return made(meta={**choice, **meta}, compute=compute, **traits, **first)

    def _asked(self, request: Mapping[str, Any]) -> tuple[str, ...]:
        """The setting that a request names."""
        return tuple(
            one_of(axis, request.get(axis), known) for axis, known in self.meta["axes"].items()
        )


def ordered_axes(
    explorer: type[ChoiceExplorer],
    states: Mapping[Any, Any],
    controls: Sequence[Control],
    wanted: Mapping[str, Sequence[str]] | None,
) -> dict[str, list[str]]:
    """{axis: its values in order}: as they first come in the states, or as `wanted`.

    Refuses no states, states that do not match the controls, and names that are taken.
    """
    if not states:
        raise ValueError("an explorer needs at least one state")
    for control in controls:
        if hasattr(explorer, control.axis):
            raise ValueError(
                f"an explorer uses the name {control.axis!r} itself; call this axis otherwise"
            )
    for setting in states:
        if len(setting) != len(controls):
            raise ValueError(
                f"a state has one value for each of {len(controls)} controls, got {setting}"
            )
    known = {c.axis: list(dict.fromkeys(s[i] for s in states)) for i, c in enumerate(controls)}
    for axis, values in (wanted or {}).items():
        strangers = set(known[axis]) - set(values)
        if strangers:
            raise ValueError(
                f"the values listed for {axis} lack {', '.join(sorted(strangers))}, which is "
                "among the states"
            )
        known[axis] = list(values)
    return known
