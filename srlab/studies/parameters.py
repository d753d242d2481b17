"""Parameters of a notebook: what its parameters cell offers, and what it is given instead."""

import ast
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
    places = [place for place, cell in enumerate(cells) if cell.startswith(INJECTED) and place]
    if places:
        last = places[-1]
        check_given(offered(cells[last]), offered(cells[last - 1]))


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
