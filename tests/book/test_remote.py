"""Launch buttons exist where there is a public repository, and never carry credentials."""

import subprocess

import pytest

from srlab.book.remote import github_address, launch_options, repository, source_address


@pytest.mark.parametrize(
    "remote",
    [
        "git@github.com:someone/sr-lab.git",
        "ssh://git@github.com/someone/sr-lab",
        "https://github.com/someone/sr-lab.git\n",
        "https://name:secret@github.com/someone/sr-lab/",
    ],
)
def test_github_remotes_become_the_public_address(remote):
    assert github_address(remote) == "https://github.com/someone/sr-lab"


@pytest.mark.parametrize(
    "remote",
    [
        "/srv/git/srlab",
        "https://example.org/a/b.git",
        "https://notgithub.com/a/b",
        "github.com",
        "",
    ],
)
def test_other_remotes_have_none(remote):
    assert github_address(remote) is None


def test_no_repository_no_buttons(tmp_path):
    assert repository(tmp_path) is None
    assert launch_options(None) == {}


def test_origin_is_asked(tmp_path):
    for command in (["init", "-q"], ["remote", "add", "origin", "git@github.com:a/b.git"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    assert repository(tmp_path) == "https://github.com/a/b"


def test_buttons_open_the_source_not_the_page():
    colab = "https://colab.research.google.com/github/a/b/blob/main/"
    address = source_address(f"{colab}book/findings/ddr/one.ipynb")
    assert address == f"{colab}notebooks/ddr/one.ipynb"
