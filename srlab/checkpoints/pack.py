"""Put a run's checkpoints among those that ship: `python -m srlab.checkpoints.pack FILE…`."""

import gzip
import sys
from pathlib import Path
from typing import Any

from safetensors.torch import save

from srlab.checkpoints.files import PACKED, WEIGHTS, begun_as, header, read_stored
from srlab.files import replace_file
from srlab.networks.state_dicts import bits_apart, fingerprint


def pack(path: str | Path, folder: str | Path = WEIGHTS) -> Path:
    """The file, packed; told as its difference from what it began as, where that saves a third.

    One that re-trained a filter in a hundred shares all others with its start, bit for bit; one
    that is guided has its guide as it was.
    """
    held, int8, provenance = read_stored(path)
    base = begun_as(provenance)

    def packed(tensors: Any, **told: Any) -> bytes:
        whole = save(tensors, header(provenance, int8=int8, **told))
        return gzip.compress(whole, compresslevel=9, mtime=0)

    content = packed(held)
    if base:
        start = ", ".join(provenance.recipe["start"].values())
        beside = packed(bits_apart(held, base), beside=[start, fingerprint(base)])
        content = beside if len(beside) < len(content) * 2 / 3 else content
    target = Path(folder) / f"{provenance.name}{PACKED}"
    with replace_file(target) as temporary:
        temporary.write_bytes(content)
    return target


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(pack(path))
