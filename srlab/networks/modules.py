"""Modules of the reader's folders, of which two may hold packages of one name."""

import importlib
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
INSTALLED = {"site-packages", "dist-packages"}  # what folders of installed packages are called
OURS = ("srlab", "__main__")


@contextmanager
def modules_of(folder: Path | None, name: str) -> Iterator[None]:
    """Inside, module `name` and what it imports are those of `folder`, or else of sys.path.

    Modules of other folders that would be taken for them are forgotten; networks that were built
    of these keep them. Installed packages stay, and are found as ever.
    """
    importlib.invalidate_caches()
    top = name.partition(".")[0]
    home = folder.resolve() if folder else _home(top)
    if folder and not _holds(folder.resolve(), top):
        raise ModuleNotFoundError(f"there is no {top!r} in {folder}", name=top)
    if home is None or _is_installed(home):
        yield
        return
    for other in _mistakable(home):
        del sys.modules[other]
    finder: Any = _Finder(home)
    if folder:
        sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if folder:
            sys.meta_path.remove(finder)


class _Finder:
    """Finds what a folder holds there, whatever else is on sys.path."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, *_: object
    ) -> ModuleSpec | None:
        """As the import system asks for it; `path` is None for a top-level name."""
        if path is not None or not _holds(self.home, name):
            return None
        installed = [entry for entry in sys.path if _is_installed(Path(entry).resolve())]
        return PathFinder.find_spec(name, [str(self.home), *installed])


def _home(top: str) -> Path | None:
    """The folder on sys.path in which a top-level name is found."""
    spec = PathFinder.find_spec(top)
    if spec is None:
        return None
    place = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return Path(place).resolve().parent if place else None


def _mistakable(home: Path) -> list[str]:
    """Modules of other folders that have the name of something in `home`."""
    held: dict[str, bool] = {}
    found = []
    for name, module in [*sys.modules.items()]:
        top, place = name.partition(".")[0], _place(module)
        if place is None or top in OURS or _is_installed(place):
            continue
        if place.parent == home or place.is_relative_to(home / top):
            continue
        if top not in held:
            held[top] = _holds(home, top)
        if held[top]:
            found.append(name)
    return found


def _holds(home: Path, top: str) -> bool:
    """A folder without code, as downloads and logs have it, is no package."""
    spec = PathFinder.find_spec(top, [str(home)])
    if spec is None or spec.origin:
        return spec is not None
    places = [Path(part) for part in spec.submodule_search_locations or ()]
    return any(any(place.glob(code)) for place in places for code in ("*.py", "*/*.py"))


def _place(module: ModuleType) -> Path | None:
    """Where it was loaded from; None for what is built in."""
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return Path(file).resolve() if isinstance(file, str) else None


def _is_installed(place: Path) -> bool:
    return place.is_relative_to(STANDARD) or not INSTALLED.isdisjoint(place.parts)
