"""Which build of PyTorch an environment gets, and how pip is asked for it.

The registry has one build for each platform: CUDA on Linux (gigabytes of it), CPU on Windows, CPU
and Metal on macOS. A Linux machine without an NVIDIA card is better served by the CPU build, which
some package sources carry as ``<version>+cpu``, and PyTorch's own index always does.
"""

from __future__ import annotations

import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

TORCH = "torch==2.13.0"
PYTORCH_INDEX = "https://download.pytorch.org/whl"
HELP = (
    "which PyTorch to install: auto (default; the CPU build on a Linux machine without an NVIDIA "
    "card, else the registry's), cpu, registry, keep (leave what is in .venv), or the address of "
    f"a package index such as {PYTORCH_INDEX}/rocm6.4"
)
REACH_SECONDS = 5


def has_nvidia() -> bool:
    """Whether the machine has an NVIDIA card with its driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _reachable(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=REACH_SECONDS):
            return True
    except (urllib.error.URLError, TimeoutError, OSError):
        return False


def attempts(choice: str) -> list[list[str]]:
    """The pip arguments to try, in this order, until one succeeds; none to leave torch alone.

    Args:
        choice: ``auto``, ``cpu``, ``registry``, ``keep`` or the address of a package index.
    """
    if choice == "keep":
        return []
    if "://" in choice:
        return [[TORCH, "--index-url", choice, "--extra-index-url", f"{PYTORCH_INDEX}/cpu"]]
    wants_cpu = choice == "cpu" or (
        choice == "auto" and sys.platform == "linux" and not has_nvidia()
    )
    if not wants_cpu or sys.platform == "darwin":
        return [[TORCH]]
    found = [[f"{TORCH}+cpu"]]
    if _reachable(f"{PYTORCH_INDEX}/cpu/"):
        found.append([f"{TORCH}+cpu", "--extra-index-url", f"{PYTORCH_INDEX}/cpu"])
    return [*found, [TORCH]]
