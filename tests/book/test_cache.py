"""The cache's key counts what outputs depend on and nothing else."""

from srlab.book.cache import PACKAGE, _counts, digest, versions


def test_digest_sees_names_contents_and_values(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    base = digest([one, two], tmp_path, "x")
    assert digest([two, one], tmp_path, "x") == base
    assert digest([one], tmp_path, "x") != base
    assert digest([one, two], tmp_path, "y") != base
    one.write_text("2")
    two.write_text("1")
    assert digest([one, two], tmp_path, "x") != base


def test_sources_and_checkpoints_count_and_the_command_line_does_not():
    counted = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*") if _counts(path)}
    assert {"metrics.py", "models/srresnet.py", "bookkit/runner.py", "assets.csv"} <= counted
    assert {f"weights/{path.name}" for path in (PACKAGE / "weights").iterdir()} <= counted
    assert not {"cli.py", "bookkit/build.py"} & counted
    assert not any("__pycache__" in name for name in counted)


def test_versions_name_the_packages_that_compute_and_draw():
    assert {"python", "torch", "numpy", "plotly", "scikit-learn"} <= set(versions())
