"""HTML from the templates here and in the book: whatever is filled in cannot become markup."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from srlab.extras import require

jinja2 = require("jinja2", "cli")  # torch brings it as well

HERE = Path(__file__).parent
Facts = Mapping[str, Mapping[str, str]]  # {table title: {name: value}}


def page(template: str, **values: Any) -> str:
    """The template's HTML with these values; one that is missing is an error.

    >>> page("lam.html", title="street.png", …)
    """
    return _environment().get_template(template).render(values)


def markup(html: str) -> Any:
    """HTML that is filled in as it is."""
    return require("markupsafe", "cli").Markup(html)


@cache
def _environment() -> Any:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HERE, HERE.parent / "book"]),
        autoescape=jinja2.select_autoescape(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["source"] = lambda name: markup(made.loader.get_source(made, name)[0])
    return made
