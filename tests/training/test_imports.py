"""Whoever only reads a recipe or loads a network does not wait for what training needs."""

import subprocess
import sys

READERS = ["srlab.training.recipes", "srlab.studies.networks", "srlab.training.fit"]


def test_reading_recipes_loads_no_trainer():
    """Lightning Fabric brings torch's compiler: three seconds of every notebook."""
    code = f"import sys, {', '.join(READERS)}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(answer.stdout.split())
    assert "torch" in loaded
    assert not loaded & {"lightning_fabric", "torch._dynamo"}
