"""Where a notebook computes, and how it says so. The library itself follows its input's device."""

import platform

import torch


def pick_device(name: str = "auto") -> torch.device:
    """The named device; "auto" prefers CUDA, then Apple's GPU, then the CPU."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def hardware() -> str:
    """What this machine computes with, in a few words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
