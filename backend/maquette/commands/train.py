"""Train or finetune a model directory of the sd2-depth family from a recipe.

What a run has done is kept in the folder given with --out: stop it at any time, and the same
command goes on from the last saved state. docs/pocket.md describes recipes, stages and folders.
"""

from __future__ import annotations

from ..train.command import configure, run

__all__ = ["configure", "run"]
