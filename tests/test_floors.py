"""Imports go down the floors only, so that every part can be read and used without those above."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "srlab"
FLOORS = (  # from the top
    ("cli",),
    ("bookkit",),
    ("sweep_results",),
    ("training.obtain", "explorers", "explain", "report", "comparison", "chosen", "filter_report"),
    ("training.ship",),
    ("training.fit",),
    ("training.redegradation", "training.contrastive"),
    ("training.paired",),
    ("training.adversarial", "training.unpaired", "training.classification", "training.filters"),
    ("training.supervised",),
    ("training.initial", "training.descent", "training.processes"),
    ("filter_analysis",),
    ("official", "filter_effects"),
    (
        "checkpoints",
        "foreign",
        "spectrum",
        "diffusion",
        "filter_study",
        "filter_places",
        "blind_restoration",
        "degradation_codes",
        "degradation_prediction",
    ),
    (
        "models",
        "datasets",
        "examples",
        "labelled",
        "hard_patches",
        "subjects",
        "distortions",
        "camera_patches",
        "identification",
        "natural_statistics",
        "training.recipes",
        "attribution.lam",
        "attribution.rivals",
        "attribution.sanity",
        "attribution.faig",
        "attribution.filter_rivals",
        "representation",
        "feature_maps",
        "findings",
        "contract",
    ),
    (
        "metrics",
        "restoration",
        "degradations",
        "degradations.parts",
        "degradations.pipeline",
        "degradations.together",
        "degradations.benchmarks",
        "degradations.vector",
        "degradations.cameras",
        "models.srcnn",
        "models.srcnn_style",
        "models.srresnet",
        "models.fsrcnn",
        "models.rcan",
        "models.edsr",
        "models.carn",
        "models.msrn",
        "models.imdn",
        "models.rfdn",
        "models.pan",
        "models.rrdbnet",
        "models.san",
        "models.swinir",
        "models.guided",
        "models.cincgan",
        "models.degradation_aware",
        "models.dasr",
        "models.dan",
        "models.redsr",
    ),
    (
        "images",
        "masks",
        "foreign_modules",
        "file_kinds",
        "state_dicts",
        "assets",
        "capture",
        "layout",
        "cost",
        "degradations.filters",
        "degradations.codecs",
        "models.blocks",
        "correlation",
        "models.distillation",
        "models.discriminator",
        "models.resnet18",
        "attribution.paths",
        "attribution.targets",
        "attribution.objective",
        "attribution.integral",
        "attribution.graph",
        "attribution.reach",
        "attribution.rectangles",
        "training.losses",
        "training.code_losses",
        "training.contrast",
        "storage",
        "parameters",
        "training.state",
        "training.share",
        "inheritance",
        "files",
        "lifetime",
        "devices",
        "plotting",
        "generalization",
        "projections",
        "receptive_field",
        "contribution",
        "regularity",
        "perceptual",
    ),
)
EMPTY = {"", "attribution", "training"}  # package docstrings alone
GENERAL = {
    "attribution",
    "capture",
    "layout",
    "representation",
    "spectrum",
    "projections",
    "feature_maps",
    "contract",
    "receptive_field",
    "contribution",
    "cost",
}  # take any network
OURS = {"models", "checkpoints", "training", "datasets"}


@cache
def imports() -> dict[str, set[str]]:
    """{module: modules it imports}, of srlab without that prefix, of others by their top name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        found[module] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}: write imports in full"
                found[module] |= _targets(node.module, [alias.name for alias in node.names])
            elif isinstance(node, ast.Import):
                found[module] |= {target for a in node.names for target in _targets(a.name, [])}
    return found


def _targets(module: str, names: list[str]) -> set[str]:
    top, _, rest = module.partition(".")
    if top != "srlab":
        return set() if top in sys.stdlib_module_names else {f"/{top}"}
    children = {".".join(filter(None, (rest, name))) for name in names}
    return {child for child in children if _exists(child)} | ({rest} if rest else set())


def _exists(module: str) -> bool:
    path = PACKAGE.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def floor(module: str) -> int:
    """Its storey, 0 at the top; bookkit and explorers are one each with all they hold."""
    if module in EMPTY:
        return len(FLOORS)
    inside = module.split(".")[0]
    name = inside if inside in ("bookkit", "explorers") else module
    for number, names in enumerate(FLOORS):
        if name in names:
            return number
    raise AssertionError(f"srlab.{module} has no floor: add it to FLOORS, as low as it can stand")


def within(module: str, packages: set[str]) -> bool:
    return module.split(".")[0] in packages


def test_the_imports_are_read():
    assert imports()["training.fit"] >= {"checkpoints", "training.recipes", "/torch"}
    assert imports()["degradations"] == {"degradations.pipeline"}


@pytest.mark.parametrize("module", sorted(imports()))
def test_imports_go_down(module):
    own = floor(module)
    for target in imports()[module]:
        if not target.startswith("/"):
            assert floor(target) >= own, f"srlab.{module} imports srlab.{target} from above"


def test_no_two_modules_need_each_other():
    graph = {name: {t for t in found if t in imports()} for name, found in imports().items()}
    while graph:
        free = {name for name, found in graph.items() if not found & graph.keys()}
        assert free, f"a circle among {sorted(graph)}"
        graph = {name: found for name, found in graph.items() if name not in free}


@pytest.mark.parametrize("module", sorted(m for m in imports() if within(m, GENERAL)))
def test_what_takes_any_network_knows_none_of_ours(module):
    assert not {target for target in imports()[module] if within(target, OURS)}


def test_plotting_stands_alone():
    assert {target for target in imports()["plotting"] if not target.startswith("/")} == set()
    assert "/torch" not in imports()["plotting"]


def test_the_library_knows_nothing_of_the_book():
    book = {"/sphinx", "/IPython", "/papermill", "/jupytext", "/nbformat", "/nbclient", "/myst_nb"}
    for module, found in imports().items():
        if not within(module, {"bookkit"}):
            assert not found & book, f"srlab.{module} imports {found & book}"
