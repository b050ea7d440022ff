"""Procedural architecture: massing models, finished scenes and training data, made in Blender
from a seed."""

GENERATOR = 3
"""Version of the scenes: raised whenever the same seed gives another picture."""

FORMAT = 1
"""Version of the files on disk, as described in docs/dataset.md."""
