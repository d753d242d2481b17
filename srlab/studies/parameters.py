"""Parameters of a notebook: what its parameters cell offers, and what it is given instead."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

INJECTED = "# Parameters\n"  # how papermill begins the cell that it puts in


def offered(cell: str) -> dict[str, Any]:
    """{name: default} of a parameters cell's source; None where the default is no literal.

    Read from its syntax: papermill's own reader misses lines with `=` or a mapping in them.
    """
    statements = [line for line in ast.parse(cell).body if isinstance(line, ast.Assign)]
    return {
        target.id: _literal(statement.value)
        for statement in statements
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def check_given(
    given: Mapping[str, Any], known: Mapping[str, Any], *, name: str = "this notebook"
) -> None:
    """Refuse names that are not known and values of another kind than the default's."""
    strangers = sorted(set(given) - set(known))
    if strangers:
        raise ValueError(
            f"{name} has no parameter {', '.join(strangers)}; it has {', '.join(known) or 'none'}"
        )
    for parameter, value in given.items():
        default = known[parameter]
        if default is not None and _kind(value) != _kind(default):
            raise ValueError(
                f"{name} takes {parameter} as {_kind(default)} such as {default!r}, got {value!r}"
            )


def check_parameters() -> None:
    """In a notebook under papermill: refuse what its parameters cell does not offer.

    Papermill itself only warns of names it does not know, and goes on without them.
    """
    import __main__  # in a notebook, where its names are: In holds the cells that ran

    check_cells(getattr(__main__, "In", ()))


def check_cells(cells: Sequence[str]) -> None:
    """As `check_parameters`, for the sources of the cells that ran so far."""
    if last := _injected(cells):
        check_given(offered(cells[last]), offered(cells[last - 1]))


def chosen_parameters() -> dict[str, Any]:
    """{name: value now} of the notebook that runs, as far as JSON holds them; elsewhere none."""
    import __main__

    values = vars(__main__)
    names = parameter_names(values.get("In", ()))
    return {name: values[name] for name in names if name in values and _is_plain(values[name])}


def parameter_names(cells: Sequence[str]) -> list[str]:
    """Of the parameters cell among those that ran: before the injected one, or the first that fits.

    A parameters cell assigns, and does nothing else.
    """
    if last := _injected(cells):
        return [*offered(cells[last - 1])]
    return next(([*offered(cell)] for cell in cells if cell.strip() and _only_assigns(cell)), [])


def _injected(cells: Sequence[str]) -> int:
    """The place of the last cell that papermill put in; 0 without any, for one stands before it."""
    places = (place for place, cell in enumerate(cells) if cell.startswith(INJECTED))
    return max(places, default=0)


def _only_assigns(cell: str) -> bool:
    try:
        return all(isinstance(line, ast.Assign) for line in ast.parse(cell).body)
    except SyntaxError:  # IPython's own lines, such as %pip
        return False


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def _kind(value: Any) -> str:
    """In words; numbers are one kind, a tuple is a list."""
    kinds = {bool: "True or False", int: "a number", float: "a number", str: "text"}
    kinds |= {list: "a list", tuple: "a list", dict: "a mapping"}
    return kinds.get(type(value), type(value).__name__)
