"""Files that Pillow decodes, opened within bounds and with one sentence for what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import check_size
from maquette_wire.messages import Limits
from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
"""What is decoded, whatever a file's name says; Pillow alone would start Ghostscript for others."""

Say = Callable[[str], object]


def opened(path: Path, code: str, say: Say | None = None) -> Image.Image:
    """The first picture of a file, decoded.

    say: is called with a sentence where there are more.

    Raises MaquetteError(``code``), or "capture-too-large" before anything is decoded.
    """
    check_file(path, code)
    try:
        with warnings.catch_warnings():
            # Of sizes that are refused here, and of damage that is an error a moment later.
            warnings.simplefilter("ignore")
            image = Image.open(path, formats=FORMATS)
            try:
                check_pixels(path, *image.size)
                frames = getattr(image, "n_frames", 1)
                image.load()
            except BaseException:
                image.close()
                raise
    except Image.DecompressionBombError as error:
        limits = Limits()
        raise MaquetteError(
            "capture-too-large",
            f"{path.name} is far too large.",
            f"Use at most {limits.side_max} pixels a side "
            f"and {limits.pixels / 1e6:.1f} megapixels.",
        ) from error
    except UnidentifiedImageError as error:
        raise MaquetteError(
            code,
            f"{path} is no picture of a kind that is understood, or damaged.",
            "Export it again, as PNG.",
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise MaquetteError(
            code, f"{path} can't be read as a picture: {reason}.", "Export it again, as PNG."
        ) from error
    if frames > 1 and image.format != "MPO" and say is not None:
        # A camera's MPO holds the same picture again, smaller or for the other eye.
        say(f"{path.name} holds {frames} pictures; the first is used.")
    return image


def check_file(path: Path, code: str) -> None:
    """Raises MaquetteError(``code``) for what is no readable file with something in it."""
    if path.is_dir():
        raise MaquetteError(code, f"{path} is a folder.", "Name a file in it.")
    try:
        with path.open("rb") as file:
            begun = file.read(1)
    except FileNotFoundError as error:
        raise MaquetteError(code, f"There is no file {path}.", "Correct its name.") from error
    except OSError as error:
        raise MaquetteError(
            code,
            f"{path} can't be opened: {error.strerror or error}.",
            "Check that you may read it.",
        ) from error
    if not begun:
        raise MaquetteError(code, f"{path} is empty.", "Export it again.")


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse what no server takes before it is decoded. Raises MaquetteError."""
    check_size(path.name, width, height, msgspec.structs.replace(Limits(), side_min=1))
