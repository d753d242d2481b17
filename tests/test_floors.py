"""Imports go down the floors only, so that every part can be read and used without those above."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "srlab"
FLOORS = (  # from the ground; those of one floor may use each other
    "extras",
    "files devices lifetime",
    "images statistics degradations",
    "metrics capture figures",
    "networks",
    "attribution representation",
    "models data explorers",
    "checkpoints",
    "training",
    "studies",
    "pages",
    "book",
    "cli",
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms.split()}
OPTION = re.compile(r"\s--[a-z-]+\b(?![:-])|^--[a-z-]+\s")  # in a sentence
PAPERS = {"ddr", "lam", "faig", "redsr"}


def modules() -> dict[Path, set[str]]:
    """{file: dotted names of srlab that it imports, below "srlab."}."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        nodes = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ImportFrom)]
        names = {f"{n.module}.{a.name}" for n in nodes for a in n.names if n.module}
        found[file] = {name[6:] for name in names if name.startswith("srlab.")}
    return found


def test_imports_go_down() -> None:
    for file, imported in modules().items():
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        above = [name for name in imported if FLOOR[name.split(".")[0]] > FLOOR.get(room, 99)]
        assert not above, f"{file.relative_to(PACKAGE)} imports {above} from above"


def test_papers_do_not_share_rooms() -> None:
    for file, imported in modules().items():
        room = file.relative_to(PACKAGE).parts
        if room[0] == "studies" and room[1] in PAPERS:
            others = {f"studies.{paper}." for paper in PAPERS - {room[1]}}
            assert not [n for n in imported if n.startswith(tuple(others))], file


def test_only_the_command_line_speaks_of_options() -> None:
    """Elsewhere a message names the keyword; `cli` writes it as its option."""
    for file in PACKAGE.rglob("*.py"):
        if file.parent != PACKAGE / "cli":
            nodes = ast.walk(ast.parse(file.read_text()))
            texts = [f"{n.value}" for n in nodes if isinstance(n, ast.Constant)]
            assert not [text for text in texts if OPTION.search(text)], file


def test_figures_need_no_torch() -> None:
    for file in (PACKAGE / "figures").rglob("*.py"):
        assert "import torch" not in file.read_text(), file
