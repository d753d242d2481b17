"""Timings as ratios, both sides measured in turn in one run: `make bench`.

Each benchmark is a function that yields rows; BENCHMARKS lists them. A ratio below what was
promised (DESIGN: "reach") or a larger error than the other side's ends with exit code 1.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srlab.attribution.lam import PatchTarget, local_attribution, magnitude, patch_target
from srlab.attribution.paths import deblurring
from srlab.checkpoints import load_checkpoint
from srlab.datasets import load_images
from srlab.degradations import Degradation
from srlab.images import center_crop
from srlab.models import build


@dataclass(frozen=True)
class Row:
    """One comparison on one machine; errors are relative to a converged result."""

    what: str
    against: str
    theirs: float  # seconds
    ours: float
    their_error: float
    our_error: float
    reach: float  # the ratio promised

    @property
    def ratio(self) -> float:
        """How many times faster."""
        return self.theirs / self.ours

    @property
    def held(self) -> bool:
        """As fast as promised, and no worse."""
        return self.ratio >= self.reach and self.our_error <= self.their_error

    def __str__(self) -> str:
        return (
            f"{self.what:44} {self.against:26} {self.theirs:8.2f} s {self.ours:8.2f} s "
            f"{self.ratio:6.1f}× (≥ {self.reach:.0f}) {self.their_error:8.2%} {self.our_error:8.2%}"
            f"  {'✔' if self.held else '✘'}"
        )


HEADER = (
    f"{'what':44} {'against':26} {'theirs':>10} {'srlab':>10} {'ratio':>13} "
    f"{'error':>9} {'error':>8}"
)


def alternating(*sides: Callable[[], object], cuda: bool, repeats: int = 3) -> list[float]:
    """Fewest seconds of each side over `repeats` rounds, taken in turn so that load hits both.

    On the CPU these are seconds of this process, which other programs do not lengthen.
    """
    best = [float("inf")] * len(sides)
    for _ in range(repeats):
        for index, side in enumerate(sides):
            begun = _clock(cuda)
            side()
            best[index] = min(best[index], _clock(cuda) - begun)
    return best


def _clock(cuda: bool) -> float:
    if not cuda:
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def published_lam(model: nn.Module, lr: Tensor, target: PatchTarget, steps: int = 50) -> Tensor:
    """The map by LAM's public settings: right ends of equal σ steps, whole image, live weights."""
    total = torch.zeros_like(lr)
    for points, moves in deblurring(lr[0], rule="right", steps=steps).pieces(1):
        points.requires_grad_()
        target(model(points)).sum().backward()
        total += points.grad * moves
    return total


def lam() -> Iterator[Row]:
    """One local attribution map: the published quadrature against srlab's default."""
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        lr = {
            name: Degradation(scale=4)(center_crop(picture, 256)[None]).to(device)
            for name, picture in load_images("textures").items()
        }
        trained = load_checkpoint("srresnet-gr")[0].to(device)
        torch.manual_seed(0)
        wide = build("srresnet", channels=64, num_blocks=16).to(device)
        for name, image in lr.items():
            yield _lam_row(f"LAM {device}, SRResNet 16×32, {name}", trained, image)
        yield _lam_row(f"LAM {device}, SRResNet 16×64 untrained, brick", wide, lr["brick"])


def _lam_row(what: str, model: nn.Module, lr: Tensor) -> Row:
    target = patch_target(120, 120)
    reference = magnitude(local_attribution(model, lr, target, rule="midpoint", steps=400).map)
    ours, theirs = local_attribution(model, lr, target).map, published_lam(model, lr, target)
    slow, fast = alternating(
        lambda: published_lam(model, lr, target),
        lambda: local_attribution(model, lr, target),
        cuda=lr.is_cuda,
    )
    their_error, our_error = (
        ((magnitude(found) - reference).abs().sum() / reference.sum()).item()
        for found in (theirs, ours)
    )
    reach = 30 if lr.is_cuda else 8
    return Row(what, "50 right ends, live weights", slow, fast, their_error, our_error, reach)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {"lam": lam}


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    torch.set_num_threads(arguments.threads)
    print(HEADER)
    held = True
    for name in arguments.names or BENCHMARKS:
        for row in BENCHMARKS[name]():
            print(row, flush=True)
            held &= row.held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
