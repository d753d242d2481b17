"""Both sides of every comparison are measured in turn, in one run: `make bench`.

A ratio below what was promised or an error larger than the other side's ends with exit code 1.
`python -m bench same OLD NEW` compares what two commits find instead of how fast they are.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

import torch

from bench.faig import faig
from bench.lam import blocks, lam
from bench.page import page
from bench.representation import representation
from bench.row import HEADER, Row
from bench.same import same
from bench.sweep import sweep
from bench.training import training

BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "lam": lam,
    "page": page,
    "blocks": blocks,
    "faig": faig,
    "training": training,
    "representation": representation,
    "sweep": sweep,
}


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    if sys.argv[1:2] == ["same"]:
        return same(sys.argv[2:])
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
