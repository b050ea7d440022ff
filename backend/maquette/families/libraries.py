"""What the model libraries say of their own accord: silenced, or said in our words."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from diffusers.utils import logging as diffusers_logging
from maquette_wire.errors import MaquetteError
from transformers.utils import logging as transformers_logging

from .. import devices


@contextlib.contextmanager
def loading(directory: Path) -> Iterator[None]:
    """Inside, a model library loads a directory, silently, and what it raises is said in our words.

    Raises MaquetteError("bad-checkpoint").
    """
    try:
        with quiet():
            yield
    except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
        if devices.is_out_of_memory(error):
            raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise MaquetteError(
            "bad-checkpoint",
            f"The model at {directory} can't be loaded: {reason.rstrip('.')}.",
            "Fetch it again, or export it again with save_pretrained.",
        ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Inside, the model libraries print nothing."""
    levels = (diffusers_logging.get_verbosity(), transformers_logging.get_verbosity())
    bars = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    peft_log = logging.getLogger("peft")
    peft_level = peft_log.level
    peft_log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(levels[0])
        diffusers_logging.enable_progress_bar()
        transformers_logging.set_verbosity(levels[1])
        if bars:
            transformers_logging.enable_progress_bar()
        peft_log.setLevel(peft_level)
