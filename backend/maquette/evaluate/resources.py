"""What a process has used."""

from __future__ import annotations

import sys

import psutil


def peak_bytes() -> int:
    """The most main memory that this process has held at once, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
