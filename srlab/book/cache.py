"""When a notebook must run again: the key is everything that its outputs may depend on."""

import ast
import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import srlab
from srlab.book.project import Notebook

PACKAGES = (
    *("srlab", "torch", "numpy", "scikit-image", "scikit-learn", "umap-learn", "pillow"),
    *("plotly", "anywidget", "ipywidgets", "ipykernel", "papermill", "jupytext"),
)
PACKAGE = Path(srlab.__file__).parent
RUNNER = Path(__file__).with_name("runner.py")  # it decides how every notebook runs


@cache
def versions() -> dict[str, str]:
    """{package: version} of what a notebook's outputs depend on, and Python's."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def digest(files: Iterable[Path], base: Path, *extra: Any) -> str:
    """SHA-256 over the files' places below `base`, their contents, and any JSON values."""
    result = hashlib.sha256(json.dumps(extra, sort_keys=True).encode())
    for path in sorted(files):
        state = path.stat()
        content = _content(path, state.st_mtime_ns, state.st_size)
        result.update(f"{path.relative_to(base).as_posix()} {content}\n".encode())
    return result.hexdigest()


@cache
def _content(path: Path, _changed: int, _size: int) -> str:
    """Read once: many notebooks reach the same files."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def library_key() -> str:
    """All of srlab with its shipped checkpoints, the packages' and Python's versions."""
    return digest(files_below(PACKAGE), PACKAGE, versions())


def files_below(folder: Path) -> list[Path]:
    """All files but those that Python compiled."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def cache_key(notebook: Notebook, parameters: Mapping[str, Any]) -> str:
    """Equal keys mean equal outputs: source, parameters, versions and what of srlab it reaches."""
    own = digest(reached(notebook.source), PACKAGE, versions())
    return digest([notebook.source], notebook.root, dict(parameters), own)


def reached(source: Path) -> set[Path]:
    """Files of srlab that a notebook's imports lead to, and the data that lie beside them."""
    modules: set[Path] = set()
    waiting = set(imported(source.resolve()))
    while waiting:
        file = waiting.pop()
        modules.add(file)
        waiting |= imported(file) - modules
    return modules.union({RUNNER}, *(_data(folder) for folder in {m.parent for m in modules}))


@cache
def imported(file: Path) -> frozenset[Path]:
    """Files of srlab that a module's import statements name, those inside functions too."""
    names = _imported_names(file.read_text("utf-8"))
    return frozenset(path for name in names for path in _files(name))


@cache
def _imported_names(text: str) -> frozenset[str]:
    nodes = [*ast.walk(ast.parse(text))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(f"{node.value.id}.{node.attr}")  # srlab.lam, of the face
    return frozenset(names)


@cache
def face() -> dict[str, str]:
    """{"srlab.lam": "srlab.attribution.lam"} of the names that `import srlab` gives."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    lines = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    own = PACKAGE.name
    return {f"{own}.{alias.name}": f"{own}.{node.module}" for node in lines for alias in node.names}


def _files(name: str) -> Iterator[Path]:
    """The modules that `import srlab.data.assets` runs: its packages' and its own."""
    parts = face().get(name, name).split(".")
    if parts[0] != PACKAGE.name:
        return
    for end in range(1, len(parts) + 1):
        place = PACKAGE.joinpath(*parts[1:end])
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                yield file


@cache
def _data(folder: Path) -> frozenset[Path]:
    """What is no module in a package's folder, and in those below that are no packages."""
    data = {path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
    rooms = [room for room in folder.iterdir() if room.is_dir() and not any(room.glob("*.py"))]
    return frozenset(data.union(*map(files_below, rooms)))
