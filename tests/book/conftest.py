"""Tiny checkouts with notebooks of a few cells, none of which needs torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
"""
CONFIG = """title: sample
only_build_toc_files: true
exclude_patterns: [_build, ".*"]
execute: {execute_notebooks: "off"}
sphinx:
  recursive_update: true
  extra_extensions: [srlab.book.sphinxext]
  config: {nb_ipywidgets_js: {}}
"""

Writer = Callable[..., Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "intro.md").write_text("# Intro\n\n```{scoreboard}\n```\n")
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/intro\nchapters:\n")
    return tmp_path


@pytest.fixture
def write_notebook(checkout: Path) -> Writer:
    """`write_notebook(name, *cells)`: a notebook with a parameters cell, in the toc."""

    def write(name: str, *cells: str, parameters: str = "amount = 3") -> Path:
        source = checkout / "notebooks" / f"{name}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(HEADER + _cells(f"# # Title of {name}", parameters, cells))
        toc = checkout / "_toc.yml"
        entry = f"- file: book/findings/{name}\n"
        if entry not in toc.read_text():
            toc.write_text(toc.read_text() + entry)
        return source

    return write


def _cell(text: str) -> str:
    return text if text.startswith("# %%") else f"# %%\n{text}"


def _cells(title: str, parameters: str, cells: Sequence[str]) -> str:
    parts = [f"# %% [markdown]\n{title}", f'# %% tags=["parameters"]\n{parameters}']
    return "\n" + "\n\n".join([*parts, *map(_cell, cells)]) + "\n"
