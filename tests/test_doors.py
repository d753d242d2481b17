"""The ways into srlab that cannot be opened here: what they are told fits what there is."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from srlab.book.project import find_notebooks
from srlab.book.runner import known_parameters
from srlab.studies.parameters import check_given

BIN = Path(sys.executable).parent


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Name and argument of each instruction, continued lines joined."""
    text = dockerfile.read_text("utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_pip_finds_all_that_conda_asks_of_it(repository, tmp_path):
    """As conda does it: the lines become a file of requirements. All of them are met here."""
    *_, nested = yaml.safe_load((repository / "environment.yml").read_text("utf-8"))["dependencies"]
    (tmp_path / "lines.txt").write_text("\n".join(nested["pip"]))
    shutil.copy(repository / "constraints.txt", tmp_path)
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index"]
    command += ["--no-build-isolation", "-r", str(tmp_path / "lines.txt")]
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^Would install (.*)$", ran.stdout, re.M)[1] == "srlab-0.1.0"


def test_make_and_conda_install_the_same(repository):
    *_, nested = yaml.safe_load((repository / "environment.yml").read_text("utf-8"))["dependencies"]
    constraints, project = nested["pip"][-2:]
    makefile = (repository / "Makefile").read_text("utf-8")
    assert f"{constraints} -e '{project.removeprefix('-e ')}'" in makefile


@pytest.fixture
def made(repository, tmp_path):
    """made(gpu, failing, **variables): make .venv where `pip` notes what it is asked for, and fails
    when this names `failing`. Gives the process and what was asked, call by call."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repository / name, tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)

    def stub(name, text):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)

    stub(".venv/bin/jupytext-config", "")

    def make(*, gpu=False, failing="nothing", system="Linux", **variables):
        stub("nvidia-smi", f"exit {0 if gpu else 9}")
        stub("uname", f"echo {system}")
        stub(
            ".venv/bin/python",
            f'case "$*" in *compileall*) echo "$@" >compiled; exit 1;; esac\n'
            f'echo "$@" >>asked; for i in $(seq 900); do echo Collecting $i; done\n'
            f'case "$*" in *{failing}*) echo no such wheel >&2; exit 1;; esac',
        )
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        for name in ("MAKEFLAGS", "MAKELEVEL"):  # of the `make test` that runs this
            environment.pop(name, None)
        command = ["make", f"PYTHON={sys.executable}", ".venv/srlab-ready"]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return ran, (tmp_path / "asked").read_text().splitlines()

    return make


CPU_TORCH = "--index-url https://download.pytorch.org/whl/cpu torch"


def test_a_machine_without_a_gpu_is_given_the_small_torch(made, tmp_path):
    ran, (torch, rest) = made()
    assert ran.returncode == 0
    assert torch.endswith(f"-c constraints.txt {CPU_TORCH}")
    assert "--no-deps --timeout 10 --retries 1" in torch
    assert rest.endswith("-c constraints.txt -e .[book,scale,test]")
    assert "--index-url" not in rest
    assert (tmp_path / ".venv/srlab-ready").exists()


def test_all_cores_compile_what_pip_leaves_and_a_file_for_another_python_stops_nothing(
    made, tmp_path
):
    ran, asked = made()
    assert ran.returncode == 0
    assert all("--no-compile" in line for line in asked)
    assert (tmp_path / "compiled").read_text().endswith("-m compileall -qqj 0 .venv/lib\n")


@pytest.mark.parametrize("given", [{"gpu": True}, {"system": "Darwin"}, {"TORCH": "pip"}])
def test_others_take_the_torch_that_pip_finds(made, given):
    ran, (only,) = made(**given)
    assert ran.returncode == 0
    assert "--index-url" not in only


@pytest.mark.parametrize("build", ["cpu", "cu126"])
def test_one_variable_chooses_the_torch(made, build):
    torch, _ = made(gpu=build == "cpu", TORCH=build)[1]
    assert torch.endswith(CPU_TORCH.replace("cpu", build))


def test_where_torchs_index_is_out_of_reach_pip_looks_itself(made):
    ran, (_, rest) = made(failing="whl/cpu")
    assert ran.returncode == 0
    assert "--index-url" not in rest
    said = ran.stdout.splitlines()
    assert said == [
        "Making .venv (some minutes, once)",
        "No cpu build to be had from https://download.pytorch.org/whl: pip looks for torch itself",
    ]
    assert ran.stderr == ""


def test_a_failing_pip_names_its_log(made, tmp_path):
    ran, _ = made(failing="scale")
    assert ran.returncode != 0
    *_, reason, named = ran.stdout.splitlines()
    assert reason == "no such wheel"
    assert named == "pip failed; all it said is in .venv/install.log"
    assert len(ran.stdout.splitlines()) < 30
    log = (tmp_path / ".venv/install.log").read_text()
    assert "no such wheel" in log
    assert log.count("Collecting") == 1800
    assert not (tmp_path / ".venv/srlab-ready").exists()


def test_the_image_serves_the_folder_that_is_built(repository):
    *build, user, port, _, command = instructions(repository / "Dockerfile")
    names = [name for name, _ in build]
    assert names == ["FROM", "WORKDIR", "COPY", "RUN", "FROM", "COPY"]
    arguments = dict(build)  # of those that come twice, the last
    torch, rest, book = " ".join(arguments["RUN"].split()).split(" && ")
    assert torch.endswith("--no-deps -c constraints.txt " + CPU_TORCH)
    assert rest.endswith("-c constraints.txt -e '.[book,scale]'")
    assert book == "srlab book"
    assert arguments["COPY"] == f"--from=built {arguments['WORKDIR']}/_build/html /book"
    assert build[0] == ("FROM", f"{arguments['FROM']} AS built")
    assert int(user[1]) > 0  # not root
    assert port[0] == "EXPOSE"
    served = ["python", "-m", "http.server", port[1], "--directory", "/book"]
    assert json.loads(command[1]) == served


def test_the_image_runs_the_python_of_conda(repository):
    conda = (repository / "environment.yml").read_text("utf-8")
    for _, image in instructions(repository / "Dockerfile")[:5:4]:
        version = re.match(r"python:([\d.]+)-slim\b", image)[1]
        assert f"- python={version}\n" in conda


def test_the_image_is_given_what_the_book_is_made_of(repository):
    """And nothing heavy: no environment, no history, no older book."""
    left_out = set((repository / ".dockerignore").read_text("utf-8").splitlines())
    needed = {"srlab", "notebooks", "book", "_config.yml", "_toc.yml", "README.md", "LICENSE"}
    assert not left_out & {*needed, "pyproject.toml", "constraints.txt"}
    assert {".*", "_build", "book/findings", "runs"} <= left_out


def test_scripts_open_as_notebooks_in_jupyterlab(repository, tmp_path):
    command = "jupytext-config set-default-viewer python"
    assert f"$(BIN)/{command}" in (repository / "Makefile").read_text("utf-8")
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    subprocess.run([BIN / command.split()[0], *command.split()[1:]], env=environment, check=True)
    (settings,) = (tmp_path / "labconfig").glob("*.json")
    manager = json.loads(settings.read_text())["@jupyterlab/docmanager-extension:plugin"]
    assert manager["defaultViewers"] == {"python": "Jupytext Notebook"}


@pytest.mark.parametrize("name", ["extensions", "settings"])
def test_the_settings_of_vs_code_can_be_read(repository, name):
    assert json.loads((repository / ".vscode" / f"{name}.json").read_text("utf-8"))


def test_vs_code_runs_the_python_of_make(repository):
    settings = json.loads((repository / ".vscode" / "settings.json").read_text("utf-8"))
    python = settings["python.defaultInterpreterPath"].removeprefix("${workspaceFolder}/")
    assert f"BIN := {Path(python).parent}\n" in (repository / "Makefile").read_text("utf-8")


def test_the_readme_names_every_door_and_no_parameter_that_is_not_there(repository):
    readme = (repository / "README.md").read_text("utf-8")
    ways = readme.partition("## Ways in\n")[2].partition("\n## ")[0]
    doors = ("Colab", "Binder", "JupyterLab", "VS Code", "conda", "Docker", "papermill")
    for door in doors:
        assert ways.count(f"| {door} |") == 1, door
    twin, parameters = re.search(r"papermill (\S+)\.ipynb \S+((?: -p \S+ \S+)+)", ways).groups()
    (notebook,) = find_notebooks(repository, [twin])
    pairs = re.findall(r"-p (\w+) ([^\s`]+)", parameters)
    check_given({key: yaml.safe_load(value) for key, value in pairs}, known_parameters(notebook))
