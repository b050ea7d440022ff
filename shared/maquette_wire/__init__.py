"""The wire: what Maquette's Blender add-on and its backend both import."""

from __future__ import annotations

__version__ = "0.1.0"
