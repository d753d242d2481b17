"""Every notebook is in the book, and every page the book promises is there."""

import ast
import re

import jupytext
import pytest
import yaml

from srlab.book.outcomes import KEY_CELL
from srlab.book.project import find_notebooks, find_root
from srlab.book.runner import chosen_parameters, known_parameters
from srlab.book.twins import read_source
from srlab.studies.parameters import check_given


def _files(toc):
    if isinstance(toc, dict):
        if "file" in toc:
            yield toc["file"]
        for value in toc.values():
            yield from _files(value)
    elif isinstance(toc, list):
        for value in toc:
            yield from _files(value)


def test_toc_and_files_agree(repository):
    toc = yaml.safe_load((repository / "_toc.yml").read_text())
    listed = {toc["root"], *_files(toc)}
    findings = {f"book/findings/{notebook.name}" for notebook in find_notebooks(repository)}
    pages = [*(repository / "book").glob("*.md"), *(repository / "book" / "reports").glob("*.md")]
    written = {path.relative_to(repository).with_suffix("").as_posix() for path in pages}
    assert listed == findings | written


def test_quick_parameters_are_parameters(repository):
    for notebook in find_notebooks(repository):
        check_given(chosen_parameters(notebook, {}, quick=True), known_parameters(notebook))


def test_every_notebook_has_one_parameters_cell_with_comments(repository):
    for notebook in find_notebooks(repository):
        cells = [
            cell
            for cell in jupytext.read(notebook.source).cells
            if "parameters" in cell.metadata.get("tags", ())
        ]
        assert len(cells) == 1, notebook.name


def test_what_notebooks_import_of_srlab_is_there(repository):
    for notebook in find_notebooks(repository):
        for node in ast.walk(ast.parse(notebook.source.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("srlab"):
                exec(compile(ast.Module([node], []), str(notebook.source), "exec"), {})


def test_no_notebook_chooses_a_precision(repository):
    """Features are float32 on every processor, so that no record depends on it."""
    for notebook in find_notebooks(repository):
        source = notebook.source.read_text("utf-8")
        assert not re.search(r"autocast|bfloat16|float16|\.half\(", source), notebook.name


def test_every_key_figure_says_what_to_look_at(repository):
    for notebook in find_notebooks(repository):
        cells = read_source(notebook.source).cells
        for cell in (cell for cell in cells if cell.metadata.get("name") == KEY_CELL):
            shown = cell.metadata.get("mystnb", {}).get("figure", {})
            assert shown.get("caption") or cell.metadata.get("caption"), notebook.name


def test_a_page_that_is_not_reproduced_says_what_more_training_does(repository):
    """It follows a network along training, in a figure, or gives the reason why not."""
    rows = re.findall(r"\]\((notebooks/\w+/\w+\.py)\)(.*)", (repository / "README.md").read_text())
    open_ones = [page for page, verdicts in rows if re.search("[◐✘⇄?] ", verdicts)]
    assert len(rows) > len(open_ones) > 0
    for page in open_ones:
        source = (repository / page).read_text("utf-8").replace("\n#", " ")
        followed = re.search(r'"name": "fig-[a-z-]+-(ladder|longer)"', source)
        reason = (
            r"[Ww]ith more training\W+(– \| )?(which is )?(not\s+shown|the question of this page)"
        )
        assert followed or re.search(reason, source), page


def test_what_jupyterlab_leaves_is_no_notebook(checkout, write_notebook):
    write_notebook("a/one")
    write_notebook("a/.ipynb_checkpoints/one-checkpoint")
    assert [notebook.name for notebook in find_notebooks(checkout)] == ["a/one"]


def test_the_root_is_found_from_below_and_missed_with_advice(repository, tmp_path):
    assert find_root(repository / "notebooks" / "ddr") == repository
    with pytest.raises(FileNotFoundError, match="go to your clone"):
        find_root(tmp_path)
