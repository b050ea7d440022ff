"""Depth maps as files, and which of the files beside a picture is its depth.

What each format means:

- ``.exr``: metres along the view axis, from the channel ``Z``, or the depth pass of a multi-layer
  file (``ViewLayer.Depth.Z``), or the only channel there is; see ``exr`` for what is sky, and for
  passes that hold shades instead of metres.
- ``.npy``: metres along the view axis, floating point [height, width], infinity for sky; whole
  numbers are levels, as in a ``.png`` with ``metres_per_level``.
- ``.png``, ``.tif`` of 8 or 16 bits: relative inverse depth as MiDaS predicts and depth ControlNets
  take: white is nearest, black is sky. With ``near_is_black`` the other way round, as a renderer's
  normalised depth pass is. With ``metres_per_level`` linear: that many metres for each level, 0
  is sky; depth cameras and KITTI, NYU and TUM write such files (0.001, 1/256, 0.001, 0.0002).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TypeVar

import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from . import depth, exr
from .exr import Near, relative
from .raster import check_file, check_pixels, opened

AnyPath = TypeVar("AnyPath", bound=PurePath)

SUFFIXES = (".exr", ".npy", ".png", ".tif", ".tiff")
FOLDER = "depth"
_NAMED_DEPTH = re.compile(r"^depth_(.+)$|^(.+)(?:_depth|-depth|\.depth|_z|_zdepth)$", re.DOTALL)


def read_depth(
    path: Path,
    *,
    metres_per_level: float | None = None,
    near_is_black: bool = False,
    near_is_white: bool = False,
) -> NDArray[np.float32]:
    """A depth file → metres [H, W] float32, +inf for sky; formats as this module says.

    near_is_white: is said already of a .png, and needed for an .exr with shades of either kind.

    Raises MaquetteError("bad-depth") naming the file.
    """
    check_file(path, "bad-depth")
    near: Near | None = "black" if near_is_black else "white" if near_is_white else None
    suffix = path.suffix.lower()
    if suffix == ".exr":
        metres = _read_exr(path, metres_per_level, near)
    elif suffix == ".npy":
        metres = _read_npy(path, metres_per_level, near)
    elif suffix in SUFFIXES:
        metres = _read_levels(path, metres_per_level, near)
    else:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} is not a kind of depth map that is understood.",
            "Give an .exr or .npy in metres, or a .png with near in white.",
        )
    return checked(path, metres)


def checked(path: Path, metres: NDArray[np.floating]) -> NDArray[np.float32]:
    """Metres of a file, where they can be. Raises MaquetteError("bad-depth")."""
    if metres.ndim == 2:
        check_pixels(path, metres.shape[1], metres.shape[0])
    try:
        return depth.check_depth(np.array(metres, order="C"), path.name)
    except ValueError as error:
        raise MaquetteError("bad-depth", str(error)) from error


def sibling_depth(path: Path) -> Path | None:
    """The depth file beside a picture; None where there is none.

    For ``house.jpg`` that is ``house_depth``, ``house-depth``, ``house.depth``, ``house_z``,
    ``house_zdepth`` or ``depth_house``, or ``house`` itself in the folder ``depth`` beside it,
    with one of ``SUFFIXES``, in any case.

    Raises MaquetteError("two-depths").
    """
    key = key_of(path)
    folders = [path.parent, *_depth_folders(path.parent)]
    found = sorted(
        each
        for folder in folders
        for each in _named(folder).get(key, ())
        if each != path and each.is_file()
    )
    if len(found) > 1:
        raise MaquetteError(
            "two-depths",
            f"{path.name} has two depth maps: {found[0]} and {found[1]}.",
            "Keep the right one beside it, and move the other away.",
        )
    return found[0] if found else None


def without_depth_files(paths: Iterable[AnyPath]) -> list[AnyPath]:
    """Paths but those that are, by their names, the depth of another one."""
    every = list(paths)
    keys = {key_of(path) for path in every}
    return [path for path in every if not any(key in keys for key in _pictures_of(path))]


Key = tuple[PurePath, str]
"""A picture's folder and its stem, whatever its suffix."""


def by_picture(paths: Iterable[AnyPath]) -> dict[Key, list[AnyPath]]:
    """Files by the pictures whose depth they are, by their names: see :func:`key_of`."""
    named: dict[Key, list[AnyPath]] = {}
    for path in paths:
        for key in _pictures_of(path):
            named.setdefault(key, []).append(path)
    return named


def key_of(path: PurePath) -> Key:
    """A picture as :func:`by_picture` knows it."""
    return path.parent, _folded(path.stem)


def _pictures_of(path: PurePath) -> list[Key]:
    """The pictures whose depth a file is, by its name."""
    if path.suffix.lower() not in SUFFIXES:
        return []
    stem = _folded(path.stem)
    named = _pictured(stem)
    keys = [] if named is None else [(path.parent, named)]
    if path.parent.name.lower() == FOLDER:
        keys += [(path.parent.parent, each) for each in (stem, named) if each is not None]
    return keys


def _named(folder: Path) -> Mapping[Key, Sequence[Path]]:
    """Files of a folder by the pictures whose depth they are."""
    return _listed(folder, _changed(folder))[0]


def _depth_folders(folder: Path) -> Sequence[Path]:
    return _listed(folder, _changed(folder))[1]


@lru_cache(64)
def _listed(folder: Path, _changed: int) -> tuple[Mapping[Key, Sequence[Path]], Sequence[Path]]:
    """Read once for all pictures of a folder, and again when something came or went."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return by_picture(entries), [path for path in entries if path.name.lower() == FOLDER]


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _pictured(stem: str) -> str | None:
    """The stem of the picture that a stem names as depth."""
    named = _NAMED_DEPTH.match(stem)
    return (named[1] or named[2]) if named else None


def _folded(name: str) -> str:
    # A file system may spell an accent in two letters where another has one.
    return unicodedata.normalize("NFC", name).casefold()


def _read_exr(path: Path, metres_per_level: float | None, near: Near | None) -> NDArray[np.float32]:
    file = exr.read(path, "bad-depth")
    name = file.depth_channel or file.only_channel
    if name is None:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} has no depth channel among {exr.listed(file.channels)}.",
            "Switch the depth (Z) pass on and save it as OpenEXR.",
        )
    return file.depth(name, metres_per_level, near)


def _read_levels(
    path: Path, metres_per_level: float | None, near: Near | None
) -> NDArray[np.float32]:
    with opened(path, "bad-depth") as image:
        levels = np.asarray(image)
    if image.mode in ("RGB", "RGBA"):
        if (levels[..., :3] != levels[..., :1]).any():
            raise MaquetteError(
                "bad-depth",
                f"{path.name} is a colour picture, and depth has one value for each pixel.",
                "Give the depth in grey, near in white.",
            )
        levels = levels[..., 0]
    elif image.mode not in ("L", "LA", "I;16", "I;16B", "I;16L", "I"):
        raise MaquetteError(
            "bad-depth",
            f"{path.name} holds pixels of the kind {image.mode!r}.",
            "Give the depth in grey with 8 or 16 bits, near in white.",
        )
    if image.mode == "LA":
        levels = levels[..., 0]
    if metres_per_level is not None:
        return _metres(levels, metres_per_level)
    top = 255.0 if image.mode in ("RGB", "RGBA", "L", "LA") else 65535.0
    shades = levels / top
    return relative(1.0 - shades if near == "black" else shades)


def _metres(levels: NDArray[np.integer], metres_per_level: float) -> NDArray[np.float32]:
    """Linear levels → metres, 0 being sky: nothing measured."""
    return np.where(levels == 0, np.inf, levels * metres_per_level).astype(np.float32)


def _read_npy(
    path: Path, metres_per_level: float | None, near: Near | None
) -> NDArray[np.floating]:
    if near is not None:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} holds metres, in which near is never {near}.",
            f"Leave --near-is-{near} out.",
        )
    try:
        # Mapped: one that is far too large is refused before it is read.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise MaquetteError(
            "bad-depth", f"{path} can't be read: {error}.", "Save it with numpy.save as floats."
        ) from error
    if not isinstance(array, np.ndarray):
        raise MaquetteError(
            "bad-depth", f"{path} is an archive of arrays.", "Save one array as .npy."
        )
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if not np.issubdtype(array.dtype, np.integer):
        return array if metres_per_level is None else array * metres_per_level
    if metres_per_level is None:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} holds whole numbers ({array.dtype}), not metres.",
            "Say what one of them is with --metres-per-level, for instance 0.001 for millimetres.",
        )
    return _metres(array, metres_per_level)
