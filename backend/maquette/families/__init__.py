"""Families: ways of running a kind of checkpoint, one module for each."""

from __future__ import annotations

import os

# The model libraries talk while they are imported, about things that a user can't act on; what
# matters is said in our own words. Both variables are theirs, and a user's setting wins.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
