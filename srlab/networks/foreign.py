"""The reader's own network: found by its address and built, or found by its weights."""

import ast
import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from torch import nn

from srlab.files import kind_of_file


class NetworkError(ValueError):
    """A network that cannot be found, built or used, and what to do about it."""


class Address(NamedTuple):
    """What `folder/package.module:factory(channels=32)` says."""

    module: str
    factory: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    folder: Path | None = None  # that holds the package; None: found as Python finds it


def load_network(address: str) -> nn.Module:
    """Build `package.module:factory` and set eval mode.

    The factory is a class or function that returns an `nn.Module`, or a module-level network.
    Literal arguments may follow in brackets. The folder that holds the package may stand in front:
    so two repositories may each have a package `models`. The code of the module is run: trust it.

    >>> load_network("srlab.models:SRResNet(channels=32)")
    >>> load_network("~/code/SAFMN/models.network:Net")
    """
    parts = parse_address(address)
    try:
        with modules_of(parts.folder, parts.module):
            network = _build(address, parts)
    except ModuleNotFoundError as error:
        raise NetworkError(f"{error}: the folder in front is the one that holds it") from error
    return network.eval()


def network_from_file(path: str | Path) -> nn.Module:
    """The network in a published .pth or .safetensors file, its architecture found by spandrel.

    Needs the extra `foreign`. Spandrel's own wrapper blocks gradients and clamps: its `.model`
    is what can be looked into.
    """
    if not Path(path).is_file():
        raise NetworkError(f"no weights file at {path}")
    try:
        from spandrel import ModelLoader
    except ImportError as error:
        raise NetworkError(
            "this needs spandrel, which knows some fifty architectures: "
            "pip install 'srlab[foreign]'; or name the network's code beside its weights, "
            "package.module:factory"
        ) from error
    try:
        return ModelLoader(device="cpu").load_from_file(str(path)).model.eval()
    except Exception as error:  # what it is given decides which
        kind = kind_of_file(path)
        reason = f"it is {kind}" if kind else f"{type(error).__name__}: {error}"
        raise NetworkError(f"spandrel finds no network in {path}: {reason}") from error


def parse_address(address: str) -> Address:
    """Read an address without running anything; arguments must be literals."""
    called, bracket, rest = address.partition("(")
    folder, slash, named = called.replace(os.sep, "/").rpartition("/")
    module, _, expression = f"{named}{bracket}{rest}".partition(":")
    try:
        node = ast.parse(expression.strip(), mode="eval").body
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        factory = ast.unparse(call.func)
        arguments = tuple(ast.literal_eval(value) for value in call.args)
        keywords = {word.arg or "**": ast.literal_eval(word.value) for word in call.keywords}
        names = [*module.split("."), *factory.split("."), *keywords]
        if module.endswith(".py") or not all(name.isidentifier() for name in names):
            raise ValueError(f"no names: {names}")
    except (SyntaxError, ValueError) as error:
        raise NetworkError(
            f"cannot read the address {address!r}: write package.module:factory, for example "
            "mynet:Net for the class Net in mynet.py of the current folder; arguments are literals "
            "in brackets: 'mynet:Net(channels=64)'; of another folder, ../other/mynet:Net"
        ) from error
    place = Path(folder or slash).expanduser() if slash else None
    return Address(module, factory, arguments, keywords, place)


def _build(address: str, parts: Address) -> nn.Module:
    found: Any = _import(parts.module)
    for name in parts.factory.split("."):
        if not hasattr(found, name):
            raise NetworkError(f"{parts.module} has no {parts.factory!r}; {_offers(found)}")
        found = getattr(found, name)
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise NetworkError(f"{address} is a {type(found).__name__}, not a class or function")
    try:
        network = found(*parts.arguments, **parts.keywords)
    except Exception as error:
        raise NetworkError(
            f"building {address} failed: {type(error).__name__}: {error}. "
            f"Arguments go in brackets, as in '{parts.module}:{parts.factory}(channels=64)'"
        ) from error
    if not isinstance(network, nn.Module):
        inside = isinstance(getattr(network, "model", None), nn.Module)
        raise NetworkError(
            f"{address} gives a {type(network).__name__}, not a torch.nn.Module"
            + ("; return its .model, which is one" if inside else "; return the network itself")
        )
    return network


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise NetworkError(
                f"there is no module {name!r}: start srlab in the folder that holds "
                f"{name.split('.')[0]!r}, write that folder in front of it, or install the package"
            ) from error
        raise NetworkError(f"importing {name} failed: {error}; install what it needs") from error
    except Exception as error:
        raise NetworkError(f"importing {name} failed: {type(error).__name__}: {error}") from error


def _offers(owner: Any) -> str:
    own = getattr(owner, "__name__", "")
    names = [
        name
        for name, value in vars(owner).items()
        if not name.startswith("_")
        and (isinstance(value, nn.Module) or getattr(value, "__module__", None) == own)
    ]
    return f"it defines {', '.join(names) or 'nothing to call'}"


# Modules of the reader's folders, of which two may hold packages of one name.
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
    holds = cache(partial(_holds, home))
    found = []
    for name, module in [*sys.modules.items()]:
        top, place = name.partition(".")[0], _place(module)
        if place is None or top in OURS or _is_installed(place):
            continue
        own = place.parent == home or place.is_relative_to(home / top)
        if not own and holds(top):
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
