"""Where things are in a checkout: each notebook's source, twin, page and record."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Notebook:
    """One notebook and what is made of it."""

    root: Path
    name: str  # "ddr/global_residual"

    @property
    def source(self) -> Path:
        """The py:percent script, the only file that is written by hand."""
        return self.root / "notebooks" / f"{self.name}.py"

    @property
    def title(self) -> str:
        """Its first heading, in plain characters."""
        lines = self.source.read_text("utf-8").splitlines()
        heading = next((line for line in lines if line.startswith("# # ")), f"# # {self.name}")
        return heading.removeprefix("# # ").strip()

    @property
    def twin(self) -> Path:
        """The same without outputs as .ipynb, for Colab and papermill."""
        return self.source.with_suffix(".ipynb")

    @property
    def page(self) -> Path:
        """The executed copy that the book shows."""
        return self.root / "book" / "findings" / f"{self.name}.ipynb"

    @property
    def record(self) -> Path:
        """What the notebook found, as JSON beside its page."""
        return self.page.with_suffix(".json")

    @property
    def failed(self) -> Path:
        """Where a run that stopped is kept: outside the book."""
        return self.root / "_build" / "failed" / f"{self.name}.ipynb"


def find_root(start: Path | None = None) -> Path:
    """The checkout around `start` (the working folder): the first parent with a _toc.yml."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise FileNotFoundError(
        f"{start} is in no checkout of srlab (no folder above it has _toc.yml and notebooks/); "
        "go to your clone of the repository first"
    )


def find_notebooks(root: Path, names: Iterable[str] = ()) -> list[Notebook]:
    """A checkout's notebooks in alphabetical order, or the named ones ("ddr": all of ddr).

    >>> find_notebooks(root, ["ddr/explorer"])
    """
    folder = root / "notebooks"
    known = sorted(
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.py")
        if path.parent.name != ".ipynb_checkpoints"  # what JupyterLab leaves beside them
    )
    wanted = [name.removeprefix("notebooks/").removesuffix(".py").rstrip("/") for name in names]
    found = {w: [name for name in known if f"{name}/".startswith(f"{w}/")] for w in wanted}
    if strangers := ", ".join(w for w, within in found.items() if not within):
        raise ValueError(f"no notebook {strangers}; there are {', '.join(known) or 'none'}")
    chosen = sorted(set[str]().union(*found.values())) if found else known
    return [Notebook(root, name) for name in chosen]
