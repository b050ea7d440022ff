"""Pictures of other programs → colour, depth where the file holds it, and captures.

PNG, JPEG, WebP, TIFF (and BMP and GIF) are display pictures; OpenEXR is scene-linear, and may hold
its depth as well. Depth maps in files of their own are read by ``depth_files``.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from . import depth_files, exr
from .assumed_camera import assumed_view, at_scale
from .depth_files import read_depth, sibling_depth
from .raster import Say, opened

__all__ = [
    "SUFFIXES",
    "capture_of",
    "read_capture",
    "read_color",
    "read_depth",
    "read_picture",
    "sibling_depth",
]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr")
"""Of files that are taken for pictures where a folder is given; in lower case."""


def read_capture(
    picture: Path,
    depth_map: Path,
    *,
    metres_per_level: float | None = None,
    near_is_black: bool = False,
    near_is_white: bool = False,
    say: Say | None = None,
) -> Capture:
    """The capture of a picture file and a depth file of the same size.

    Its View has the picture's name and an assumed camera (`assumed_camera`), since a file has none.
    Raises MaquetteError with code "bad-picture", "bad-depth", "size-mismatch" or, for more or
    fewer pixels than any server takes, "capture-too-large" or "capture-too-small".
    """
    color = read_color(picture, say)
    metres = read_depth(
        depth_map,
        metres_per_level=metres_per_level,
        near_is_black=near_is_black,
        near_is_white=near_is_white,
    )
    height, width = metres.shape
    if color.shape[:2] != metres.shape:
        raise MaquetteError(
            "size-mismatch",
            f"{picture.name} is {color.shape[1]} x {color.shape[0]} pixels and {depth_map.name} "
            f"is {width} x {height}.",
            "Render both at the same size.",
        )
    return capture_of(picture.stem, color, metres)


def capture_of(name: str, color: NDArray[np.uint8], metres: NDArray[np.float32]) -> Capture:
    """A picture [h, w, 3] and its depth [h, w] as a capture with an assumed camera."""
    view = assumed_view(metres, name)
    return Capture(view, color, at_scale(metres, view))


def read_picture(
    path: Path,
    *,
    metres_per_level: float | None = None,
    near_is_black: bool = False,
    near_is_white: bool = False,
    say: Say | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """A picture file → uint8 sRGB [H, W, 3], and metres [H, W] where the file itself holds depth.

    That is an EXR with a layer or channel named as depth; the options are about that, and say is
    as in ``read_color``. Raises MaquetteError("bad-picture", "bad-depth", "capture-too-large").
    """
    if path.suffix.lower() != ".exr":
        return read_color(path, say), None
    file = exr.read(path, "bad-picture")
    color = file.color()
    name = file.depth_channel
    if name is None:
        return color, None
    near: exr.Near | None = "black" if near_is_black else "white" if near_is_white else None
    return color, depth_files.checked(path, file.depth(name, metres_per_level, near))


def read_color(path: Path, say: Say | None = None) -> NDArray[np.uint8]:
    """A picture file → uint8 sRGB [H, W, 3].

    Turned as its EXIF says, transparency over white, 16 bits reduced to 8, an embedded colour
    profile converted to sRGB, an EXR's scene-linear beauty as sRGB. Of several pictures in one
    file the first, and ``say`` is called with a sentence about it.

    Raises MaquetteError("bad-picture", "capture-too-large").
    """
    if path.suffix.lower() == ".exr":
        return exr.read(path, "bad-picture").color()
    with opened(path, "bad-picture", say) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            return np.repeat(_grey_levels(upright, path)[..., None], 3, axis=2)
        profile = image.info.get("icc_profile")
        if "A" in upright.getbands() or "transparency" in upright.info:
            with_alpha = upright.convert("RGBA")
            white = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
            upright = Image.alpha_composite(white, with_alpha).convert("RGB")
        if profile and upright.mode in ("RGB", "CMYK", "L"):
            upright = _to_srgb(upright, profile)
        return np.array(upright.convert("RGB"))


def _grey_levels(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    """Deep grey → uint8; 16 bits by their range, floats by 0 to 1."""
    levels = np.asarray(image).astype(np.float64)
    top = 1.0 if image.mode == "F" else 65535.0
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > top:
        raise MaquetteError(
            "bad-picture",
            f"{path} has grey levels outside 0 to {top:g}.",
            "Export it with 8 or 16 bits a channel.",
        )
    return np.rint(levels / top * 255.0).astype(np.uint8)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile is no reason to refuse the picture it describes
    return converted or image
