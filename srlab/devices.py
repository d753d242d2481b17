"""Where a notebook computes, and how it says so. The library itself follows its input's device."""

import platform
import re
from pathlib import Path

import torch


def pick_device(name: str = "auto") -> torch.device:
    """The named device; "auto" prefers CUDA, then Apple's GPU, then the CPU."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def free_memory(device: torch.device | str) -> int | None:
    """Bytes that are free on the device; None where the machine does not say."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(torch.device(device))[0]
    table = Path("/proc/meminfo")
    if torch.device(device).type != "cpu" or not table.is_file():
        return None
    found = re.search(r"MemAvailable: *(\d+) kB", table.read_text("utf-8"))
    return 1024 * int(found[1]) if found else None


def half_precision(device: torch.device | str) -> bool:
    """Whether the device computes in bfloat16 itself; emulated, it takes seven times as long."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # older torch lacks them
    return kind == "cpu" and any(getattr(torch.cpu, own, lambda: False)() for own in questions)


def precision_on(device: torch.device | str, precision: str = "auto") -> str:
    """ "float32" or "bfloat16"; "auto" is what the device is fast in."""
    if precision != "auto":
        return precision
    return "bfloat16" if half_precision(device) else "float32"


def autocast(device: torch.device | str, precision: str = "auto") -> torch.autocast:
    """Convolutions inside are computed in that precision; weights stay as they are."""
    wanted = precision_on(device, precision) == "bfloat16"
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=wanted)


def hardware() -> str:
    """What this machine computes with, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
