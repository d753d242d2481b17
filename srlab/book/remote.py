"""Where the repository lives, for the launch buttons: only what `git remote` says."""

import re
import subprocess
from pathlib import Path

GITHUB = re.compile(r"(?:^|[@/])github\.com[:/](?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?$")


def github_address(remote: str) -> str | None:
    """The public address of a GitHub remote, without any credentials; None for another host.

    >>> github_address("git@github.com:someone/srlab.git")
    'https://github.com/someone/srlab'
    """
    found = GITHUB.search(remote.strip())
    return f"https://github.com/{found['owner']}/{found['name']}" if found else None


def repository(root: Path) -> str | None:
    """The checkout's GitHub address, None where `origin` is missing or elsewhere."""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return github_address(answer.stdout)


def launch_options(address: str | None) -> dict[str, object]:
    """Options of the theme for the repository, Colab and Binder buttons; none without address."""
    if address is None:
        return {}
    return {
        "repository_url": address,
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def source_address(url: str) -> str:
    """A button's address, moved from the built page to the notebook that a reader can run."""
    return url.replace("/book/findings/", "/notebooks/")
