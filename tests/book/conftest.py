"""Tiny checkouts with notebooks of a few cells, none of which needs torch."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from srlab.book import runner

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


class Here:
    """A pool without processes: this one has imported what each worker would have to."""

    def __init__(self, *_args: Any, **_settings: Any) -> None:
        """No worker is started, so none is prepared."""

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is left to wait for."""

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:  # as a worker hands it on
            future.set_exception(error)
        return future

    def shutdown(self, **_how: bool) -> None:
        """All that was submitted has run."""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notebooks are run from this process, each in a kernel of its own as ever."""
    monkeypatch.setattr(runner, "ProcessPoolExecutor", Here)


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

    def write(name: str, *cells: str, parameters: str = "amount = 3", quick: str = "{}") -> Path:
        source = checkout / "notebooks" / f"{name}.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(_cells(f"# # Title of {name}", parameters, quick, cells))
        toc = checkout / "_toc.yml"
        entry = f"- file: book/findings/{name}\n"
        if entry not in toc.read_text():
            toc.write_text(toc.read_text() + entry)
        return source

    return write


def _cell(text: str) -> str:
    return text if text.startswith("# %%") else f"# %%\n{text}"


def _cells(title: str, parameters: str, quick: str, cells: Sequence[str]) -> str:
    tagged = f'# %% tags=["parameters"] quick={quick}\n{parameters}'
    parts = [f"# %% [markdown]\n{title}", tagged]
    return "\n\n".join([*parts, *map(_cell, cells)]) + "\n"
