"""The words that a LoRA of ours was trained with, in its file's metadata."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

METADATA = "maquette.words"


def words_of_lora(path: Path) -> frozenset[str]:
    """Lower case; none where the file says nothing of them."""
    try:
        with safe_open(path, "pt") as file:
            words = json.loads((file.metadata() or {}).get(METADATA, "[]"))
    except (OSError, SafetensorError, ValueError):
        return frozenset()
    return frozenset(word for word in words if isinstance(word, str))
