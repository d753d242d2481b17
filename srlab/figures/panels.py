"""Small multiples: where each panel lies, and what stands above it."""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from srlab.figures.theme import LINE

Titles = tuple[str, str]  # of a panel's row, and of its column


def arranged(
    panels: Collection[Titles],
) -> tuple[list[str], list[str], dict[Titles, dict[str, int]]]:
    """The titles of the rows and of the columns, and each panel's "row" and "col" among them."""
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels, strict=True))
    places = {
        (row, column): {"row": rows.index(row) + 1, "col": columns.index(column) + 1}
        for row, column in panels
    }
    return rows, columns, places


def wrapped(title: str, letters: int) -> str:
    """The title in lines of at most so many letters."""
    return "<br>".join(textwrap.wrap(title, letters))


def room(titles: Iterable[str]) -> int:
    """Pixels that the highest of these titles takes."""
    return LINE * max((title.count("<br>") + 1 for title in titles), default=0)


def titles_above(
    rows: Sequence[str], columns: Mapping[str, str], notes: Mapping[Titles, str] | None
) -> dict[Titles, str]:
    """The lines above each panel: its column's title, in the first row only, and its note.

    `columns` say how their titles are written.
    """
    return {
        (row, column): "<br>".join(
            filter(None, [title if row == rows[0] else "", (notes or {}).get((row, column))])
        )
        for row in rows
        for column, title in columns.items()
    }
