"""Presets: named words for a prompt, each with a picture, that combine.

`words` says what a preset is and makes prompts of them, `library` finds those that come with
Maquette (`builtin/`) and a user's own, and `files` reads and writes them.
"""

from __future__ import annotations
