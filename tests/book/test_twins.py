"""A twin is its source without outputs; its diff shows what changed and nothing else."""

import json

import nbformat

from srlab.book.project import find_notebooks
from srlab.book.twins import stale_twins, write_twins


def test_the_repository_is_in_step(repository):
    stale = [twin.stem for twin in stale_twins(repository)]
    assert not stale, f"run: python -m srlab.book.twins (out of step: {', '.join(stale)})"
    widows = set((repository / "notebooks").rglob("*.ipynb")) - {
        notebook.twin for notebook in find_notebooks(repository)
    }
    assert not [path for path in widows if ".ipynb_checkpoints" not in path.parts]


def test_twins_are_valid_stable_and_free_of_outputs(checkout, write_notebook):
    write_notebook("a/one", "print(amount)", "print(amount)")
    (written,) = write_twins(checkout)
    twin = nbformat.read(written, as_version=4)
    nbformat.validate(twin)
    assert [cell.get("outputs", []) for cell in twin.cells] == [[]] * 5
    assert twin.cells[2].metadata.tags == ["parameters"]
    text = written.read_text()
    assert write_twins(checkout) == []
    written.unlink()
    write_twins(checkout)
    assert written.read_text() == text


def test_a_changed_cell_changes_only_its_own_lines(checkout, write_notebook):
    write_notebook("one", "print(1)", "print(2)")
    (twin,) = write_twins(checkout)
    before = json.loads(twin.read_text())["cells"]
    write_notebook("one", "print('new')", "print(1)", "print(2)")
    assert [*stale_twins(checkout)] == [twin]
    write_twins(checkout)
    after = json.loads(twin.read_text())["cells"]
    assert [cell for cell in after if cell not in before] == [after[3]]
