import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import srlab

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
INSTALLED = ("book", "scale", "test")  # the extras that `make` installs
# What Colab has: torch in its CUDA build, and what its kernel runs on (googlecolab/backend-info).
COLAB = {
    "torch": "2.11.0+cu128",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
    "ipywidgets": "7.7.1",
    "jupyter-client": "7.4.9",
    "nbclient": "0.10.4",
    "notebook": "6.5.7",
    "numpy": "2.0.2",
    "pandas": "2.2.2",
    "pyzmq": "26.2.1",
    "tornado": "6.5.1",
    "traitlets": "5.7.1",
}


@cache
def requirements(extras: tuple[str, ...] = INSTALLED) -> dict[str, Requirement]:
    """Of srlab and some of its extras; an extra may name another one as `srlab[other]`."""
    lines = [*PROJECT["project"]["dependencies"]]
    lines += [line for name in extras for line in PROJECT["project"]["optional-dependencies"][name]]
    found = {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}
    own = found.pop("srlab", None)
    return {**requirements(tuple(own.extras)), **found} if own else found


@cache
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def needed(requirement: Requirement, seen: set[str]) -> set[str]:
    """All that must be installed for it here, itself included."""
    name = canonicalize_name(requirement.name)
    if name in seen:
        return seen
    seen.add(name)
    extras = requirement.extras or {""}
    for line in distribution(name).requires or []:
        other = Requirement(line)
        if not other.marker or any(other.marker.evaluate({"extra": extra}) for extra in extras):
            needed(other, seen)
    return seen


def imported(folder: Path) -> set[str]:
    """Top names of what the modules below a folder import, the standard library left out."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"srlab", "google"}  # google.colab is there only


def test_constraints_are_exact_and_fit_the_ranges():
    for name, requirement in requirements().items():
        assert name in pins(), f"constraints.txt lacks {name}"
        assert pins()[name] in requirement.specifier, f"{requirement} excludes {pins()[name]}"
    assert pins()["torch"] == "2.13.0"
    for name, version in pins().items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name}=={version} is no public version"
    assert not {"pip", "setuptools", "wheel", "srlab"} & pins().keys()


def test_constraints_cover_what_the_dependencies_need():
    seen: set[str] = set()
    for requirement in requirements().values():
        needed(requirement, seen)
    assert len(seen) > len(requirements())
    assert seen - {"pip", "setuptools", "wheel"} <= pins().keys()


def test_the_installed_versions_are_those_of_the_constraints():
    """What passes here is what others will install."""
    for name in requirements():
        assert distribution(name).version.split("+")[0] == pins()[name]


def test_colab_is_left_as_it_is():
    """What the notebooks' first cell installs there exchanges nothing that is in use already."""
    checked = set()

    def check(requirement: Requirement) -> None:
        name = canonicalize_name(requirement.name)
        if name in COLAB:
            assert requirement.specifier.contains(COLAB[name]), f"{requirement} excludes Colab's"
        elif name not in checked:
            checked.add(name)
            for line in distribution(name).requires or []:
                other = Requirement(line)
                if not other.marker or other.marker.evaluate({"extra": ""}):
                    check(other)

    for requirement in requirements(("notebooks",)).values():
        check(requirement)
    assert "myst-nb" in checked


def test_the_notebooks_extra_has_all_that_they_import():
    owners = packages_distributions()
    for name in imported(ROOT / "notebooks") & owners.keys():
        owned = {canonicalize_name(owner) for owner in owners[name]}
        assert owned & requirements(("notebooks",)).keys(), f"{name} is missing on Colab"


def test_ranges_are_wide_and_have_a_floor():
    for requirement in requirements().values():
        operators = {specifier.operator for specifier in requirement.specifier}
        assert ">=" in operators, f"{requirement} has no lowest version"
        assert not operators & {"==", "~="}, f"{requirement} shuts others out"


def test_the_environment_file_is_in_step():
    """It names no package of its own: the lists of pyproject.toml in the exact versions."""
    *conda, nested = ENVIRONMENT["dependencies"]
    (python,) = [line.removeprefix("python=") for line in conda if line.startswith("python=")]
    assert python in SpecifierSet(PROJECT["project"]["requires-python"])
    assert set(conda) == {f"python={python}", "pip"}
    options = [line for line in nested["pip"] if not line.startswith("--extra-index-url")]
    assert options == ["-c constraints.txt", f"-e .[{','.join(INSTALLED)}]"]


@pytest.mark.parametrize("folder", ["srlab", "tests", "notebooks", "bench"])
def test_every_import_is_a_declared_dependency(folder):
    """Not only something that another package happens to bring."""
    owners = packages_distributions()
    names = imported(ROOT / folder) & owners.keys()
    assert names
    for name in names:
        owned = {canonicalize_name(owner) for owner in owners[name]}
        assert owned & requirements().keys(), f"{name} is not named in pyproject.toml"


def test_the_library_imports_without_the_book_and_test_extras():
    """Models and the general half with the core alone, other rooms with their extra."""
    owners = packages_distributions()
    rooms = {"": "models degradations networks attribution", "figures": "explorers figures"}
    for extra, folders in (rooms | {"train": "training"}).items():
        known = requirements((extra,) if extra else ()).keys()
        for folder in folders.split():
            for name in (imported(ROOT / "srlab" / folder) & owners.keys()) - {"spandrel"}:
                assert {canonicalize_name(owner) for owner in owners[name]} & known, name


def test_every_data_file_is_packaged():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["srlab"]
    package = ROOT / "srlab"
    files = [path.relative_to(package) for path in package.rglob("*") if path.is_file()]
    data = [path for path in files if path.suffix not in (".py", ".pyc")]
    assert data
    for path in data:
        known = any(path.match(pattern.removeprefix("**/")) for pattern in patterns)
        assert known, f"srlab/{path} would be missing from an installation"


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    version = PROJECT["project"]["version"]
    assert srlab.__version__ == version
    assert citation["version"] == version
    assert version in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_citation_names_the_four_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    references = {reference["notes"]: reference for reference in citation["references"]}
    assert set(references) == {"DDR", "LAM", "FAIG", "ReDSR"}
    for reference in references.values():
        assert {"title", "authors", "year", "url"} <= reference.keys()


@pytest.mark.parametrize("file", [".pre-commit-config.yaml", ".github/workflows/book.yml"])
def test_the_settings_of_other_tools_can_be_read(file):
    assert yaml.safe_load((ROOT / file).read_text("utf-8"))


def test_the_workflow_runs_what_we_run():
    workflow = (ROOT / ".github/workflows/book.yml").read_text("utf-8")
    assert "run: .ci/run" in workflow
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert "run: make book" in workflow
