"""Seconds of a training step in so many processes on the CPU, one thread each.

python -m bench.devices srresnet-gr --devices 2
"""

import argparse
import time
from dataclasses import replace

from lightning_fabric import Fabric
from threadpoolctl import threadpool_limits
from torch import set_num_threads

from srlab.data.datasets import load_images
from srlab.training.fit import fit
from srlab.training.processes import processes
from srlab.training.recipes import Recipe, recipe


def main() -> None:
    """Measure a recipe; the first process tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args()
    chosen = recipe(arguments.recipe)
    with processes(chosen, device="cpu", devices=arguments.devices) as fabric, threadpool_limits(1):
        set_num_threads(1)
        few = 2
        spent = [seconds(chosen, fabric, few + steps) for steps in (0, 0, arguments.steps)]
    if fabric.is_global_zero:
        step = (spent[-1] - spent[-2]) / arguments.steps  # start and measurement cancel
        print(f"{arguments.recipe}: {step:.3f} s a step in {arguments.devices} process(es)")


def seconds(chosen: Recipe, fabric: Fabric, steps: int) -> float:
    """Of a run of so many steps on the embedded photographs, by the clock."""
    short = replace(chosen, steps=steps, snapshots=())
    begun = time.perf_counter()
    fit(short, images=load_images("photographs"), fabric=fabric, progress=False)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
