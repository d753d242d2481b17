"""The notebooks' first code cell, the same in all: it installs srlab where that is missing.

It stands alone, since srlab is not there yet. The book leaves it out; JupyterLab and Colab fold it.
`python -m srlab.book.first_cell` writes it below the title of those that lack it.
"""

import re
from pathlib import Path

from srlab.book.project import find_notebooks, find_root
from srlab.files import replace_text

FIRST_CELL = r"""
# %% tags=["remove-cell"] jupyter={"source_hidden": true} cellView="form"
# @title Install srlab where it is missing
# From the clone that holds this notebook, or from the repository on GitHub that Colab opened.
import os
import re
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib import parse, request

if getattr(find_spec("srlab"), "origin", None) is None:
    roots = [str(path) for path in Path.cwd().parents if (path / "srlab/__init__.py").is_file()]
    opened = ""
    with suppress(KeyError, OSError):  # only Colab tells
        server = "http://{COLAB_JUPYTER_IP}:{KMP_TARGET_PORT}".format_map(os.environ)
        opened = parse.unquote(request.urlopen(f"{server}/api/sessions").read().decode())
    github = re.findall(r"(https://github\.com/[^/]+/[^/]+)/blob/(.+?)/notebooks/", opened)
    sources = [["-e", f"{root}[notebooks]"] for root in roots]
    sources += [[f"srlab[notebooks] @ git+{url}@{branch}"] for url, branch in github]
    if not sources:
        raise ModuleNotFoundError(
            "srlab is missing, and no clone or GitHub address of this notebook is known; "
            'run: %pip install "srlab[notebooks] @ git+https://github.com/OWNER/NAME"'
        )
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *sources[0]], check=True)
    sys.path += roots[:1]
if "google.colab" in sys.modules:
    from google.colab import output

    output.enable_custom_widget_manager()
""".strip()
WRITTEN = re.compile(r"# %% [^\n]*\n# @title Install srlab.*?(?=\n\n# %%)", re.DOTALL)


def with_first_cell(script: str) -> str:
    """The py:percent script with the cell as it should be, behind its first cell: the title."""
    head, title, body = re.split(r"(?m)^(?=# %%)", WRITTEN.sub("", script), maxsplit=2)
    return f"{head}{title.rstrip()}\n\n{FIRST_CELL}\n\n{body}"


def write_first_cells(root: Path) -> list[Path]:
    """Bring the cell of every notebook in step; returns the scripts that changed."""
    changed = []
    for notebook in find_notebooks(root):
        script = notebook.source.read_text("utf-8")
        if script != with_first_cell(script):
            replace_text(notebook.source, with_first_cell(script))
            changed.append(notebook.source)
    return changed


if __name__ == "__main__":
    for path in write_first_cells(find_root()):
        print(path)
