"""The cell that installs srlab where it is missing: below the title of every twin, for Colab."""

import nbformat
from nbformat import NotebookNode

# It stands alone, since srlab is not there yet. Only Colab tells which address it opened.
INSTALL = r"""
# @title Install srlab where it is missing: from the clone around this notebook, or from GitHub
import importlib.util, os, pathlib, re, subprocess, sys, urllib.parse, urllib.request

if getattr(importlib.util.find_spec("srlab"), "origin", None) is None:
    sources = [f"-e{p}[notebooks]" for p in pathlib.Path.cwd().parents if (p / "_toc.yml").is_file()]
    if not sources and "google.colab" in sys.modules:
        server = "http://{COLAB_JUPYTER_IP}:{KMP_TARGET_PORT}/api/sessions".format_map(os.environ)
        opened = urllib.parse.unquote(urllib.request.urlopen(server).read().decode())
        github = re.findall(r"(https://github\.com/[^/]+/[^/]+)/blob/(.+?)/notebooks/", opened)
        sources = [f"srlab[notebooks] @ git+{url}@{branch}" for url, branch in github]
    if not sources:
        raise ModuleNotFoundError('%pip install "srlab[notebooks] @ git+https://github.com/OWNER/NAME"')
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", sources[0]], check=True)
    sys.path += re.findall(r"-e(.*)\[", sources[0])
""".strip()
HIDDEN = {"tags": ["remove-cell"], "jupyter": {"source_hidden": True}, "cellView": "form"}


def install_cell() -> NotebookNode:
    """Folded in JupyterLab and Colab, and no part of the book."""
    return nbformat.v4.new_code_cell(INSTALL, metadata=HIDDEN, id="install")
