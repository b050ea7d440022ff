"""Maquette's backend: captures of a massing model in, concept images out."""

from __future__ import annotations

import os

__version__ = "0.1.0"

# Before anything imports PyTorch or NumPy, whose threads read it once. A processor that samples is
# shared with Blender and with renders, and threads that spin while one of them has lost its core
# make a picture ten times slower there. Those that sleep at once take a fifth longer than those
# that wait for some microseconds first, which GNU's OpenMP, of PyTorch on Linux, can be told.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# NumPy's matrix products are too small here to gain from threads, which always spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
