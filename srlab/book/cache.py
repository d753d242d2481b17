"""When a notebook must run again: the key is everything that its outputs may depend on."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import srlab
from srlab.book.project import Notebook

PACKAGES = (
    "srlab",
    "torch",
    "numpy",
    "scikit-image",
    "scikit-learn",
    "umap-learn",
    "pillow",
    "plotly",
    "anywidget",
    "ipywidgets",
    "ipykernel",
    "papermill",
    "jupytext",
)
PACKAGE = Path(srlab.__file__).parent
ABOVE_NOTEBOOKS = ("cli.py", "bookkit")  # no notebook imports these; the runner itself counts
COUNTED = ("bookkit/runner.py",)


@cache
def versions() -> dict[str, str]:
    """{package: version} of what a notebook's outputs depend on, and Python's."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digest(files: Iterable[Path], base: Path, *extra: Any) -> str:
    """SHA-256 over the files' places below `base`, their contents, and any JSON values."""
    result = hashlib.sha256(json.dumps(extra, sort_keys=True).encode())
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        result.update(f"{path.relative_to(base).as_posix()} {content}\n".encode())
    return result.hexdigest()


@cache
def library_key() -> str:
    """srlab's sources and shipped checkpoints, the packages' and Python's versions."""
    return digest(filter(_counts, PACKAGE.rglob("*")), PACKAGE, versions())


def _counts(path: Path) -> bool:
    place = path.relative_to(PACKAGE)
    if not path.is_file() or "__pycache__" in place.parts:
        return False
    return place.parts[0] not in ABOVE_NOTEBOOKS or place.as_posix() in COUNTED


def cache_key(notebook: Notebook, parameters: Mapping[str, Any]) -> str:
    """Equal keys mean equal outputs: source, parameters and the whole library."""
    return digest([notebook.source], notebook.root, dict(parameters), library_key())
