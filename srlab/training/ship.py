"""From a finished run to checkpoint files that tell how they were made."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from srlab.checkpoints.files import Provenance, save_checkpoint, versions
from srlab.devices import hardware
from srlab.networks.state_dicts import load_weights, rounded
from srlab.training.fit import TASKS, Fit
from srlab.training.initial import initial_model


def ship(name: str, run: Fit, folder: str | Path, *, steps: tuple[int, ...] = ()) -> list[Path]:
    """Save a run's last weights as `name`, and those of `steps` as `name@step`, with provenance.

    The PSNR (or accuracy) in the header is that of the file: of weights rounded to its bits.
    """
    last = max(run.weights)
    computers = hardware() if run.processes == 1 else f"{run.processes} × {hardware()}"  # all alike
    task = TASKS[type(run.recipe)]
    paths = []
    for step in (*steps, last):
        weights = rounded(run.weights[step], run.recipe.bits)
        model = initial_model(run.recipe)
        load_weights(model, weights)
        quality = round(task.measure(run.recipe, model.eval()), 3)
        measured: dict[str, Any] = {task.metric: {run.recipe.validation_set: quality}}
        title = name if step == last else f"{name}@{step}"
        provenance = Provenance(
            name=title,
            architecture=run.recipe.architecture,
            hyperparameters=run.recipe.hyperparameters,
            recipe=run.recipe.as_dict(),
            step=step,
            data=run.data,
            history=[
                {key: round(value, 5) for key, value in row.items()}
                for row in run.history
                if row["step"] <= step
            ],
            versions=versions(),
            hardware=computers,
            seconds=round(run.seconds * step / last, 3),
            date=datetime.now(UTC).date().isoformat(),
            **measured,
        )
        path = Path(folder) / f"{title}.safetensors"
        paths.append(save_checkpoint(path, weights, provenance, bits=run.recipe.bits))
    return paths
