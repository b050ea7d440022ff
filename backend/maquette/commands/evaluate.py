"""Measure how well a model follows massings and prompts that it never saw.

Paints held-out scenes of a dataset (docs/dataset.md) with prompts of known meaning, and prints each
figure beside that of finished renders and of a scene or prompt that was not asked for. The first
evaluation trains a small classifier of attributes on the dataset's renders, and keeps it there.
"""

from __future__ import annotations

from ..evaluate.command import configure, run

__all__ = ["configure", "run"]
