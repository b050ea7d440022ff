"""Maquette's backend: captures of a massing model in, concept images out."""

from __future__ import annotations

__version__ = "0.1.0"
