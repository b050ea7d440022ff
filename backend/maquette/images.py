"""A picture and its depth map, as files → a Capture.

For a render that some other program made. What each format of depth means:

- ``.exr``: metres along the view axis, from the channel ``Z``, or the depth pass of a multi-layer
  file (``ViewLayer.Depth.Z``), or the only channel there is. Infinity and anything beyond 10,000 km
  (renderers write 1e10, half floats 65504) is sky.
- ``.npy``: metres along the view axis, floating point [height, width], infinity for sky; whole
  numbers are levels, as in a ``.png`` with ``metres_per_level``.
- ``.png``, ``.tif`` of 8 or 16 bits: relative inverse depth as MiDaS predicts and depth ControlNets
  take: white is nearest, black is sky. With ``near_is_black`` the other way round, as a renderer's
  normalised depth pass is. With ``metres_per_level`` linear: that many metres for each level, 0
  is sky; depth cameras and KITTI, NYU and TUM write such files (0.001, 1/256, 0.001, 0.0002).
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import check_size
from maquette_wire.messages import Limits
from maquette_wire.view import Matrix, View
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from . import depth

_HALF_MAX = 65504.0
_NEAREST_METRES = 1.0  # what white stands for in relative depth; any value gives the same picture
_LENS, _SENSOR = 35.0, 36.0  # millimetres, of the camera assumed for a picture without one
_DEPTH_NAMES = ("z", "depth", "v", "y")  # of the last part of an EXR channel's name


def read_capture(
    picture: Path,
    depth_map: Path,
    *,
    metres_per_level: float | None = None,
    near_is_black: bool = False,
) -> Capture:
    """The capture of a picture file and a depth file of the same size.

    Its View has the picture's name and an assumed camera (35 mm lens), since a file has none.
    Raises MaquetteError with code "bad-picture", "bad-depth", "size-mismatch" or, for more or
    fewer pixels than any server takes, "capture-too-large" or "capture-too-small".
    """
    color = read_color(picture)
    metres = read_depth(depth_map, metres_per_level=metres_per_level, near_is_black=near_is_black)
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
    height, width = metres.shape
    return Capture(_assumed_view(width, height, name), color, metres)


def read_color(path: Path) -> NDArray[np.uint8]:
    """A picture file → uint8 sRGB [H, W, 3].

    Turned as its EXIF says, transparency over white, 16 bits reduced to 8, an embedded colour
    profile converted to sRGB. Raises MaquetteError("bad-picture").
    """
    with _opened(path, "bad-picture") as image:
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


def read_depth(
    path: Path, *, metres_per_level: float | None = None, near_is_black: bool = False
) -> NDArray[np.float32]:
    """A depth file → metres [H, W] float32, +inf for sky; formats as this module says.

    Raises MaquetteError("bad-depth") naming the file.
    """
    if not path.is_file():
        raise MaquetteError("bad-depth", f"There is no file {path}.", "Correct its name.")
    suffix = path.suffix.lower()
    if suffix in (".exr", ".npy") and near_is_black:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} holds metres, in which near is never black.",
            "Leave --near-is-black out.",
        )
    if suffix == ".exr":
        metres = _read_exr(path)
    elif suffix == ".npy":
        metres = _read_npy(path, metres_per_level)
    elif suffix in (".png", ".tif", ".tiff"):
        metres = _read_levels(path, metres_per_level, near_is_black)
    else:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} is not a kind of depth map that is understood.",
            "Give an .exr or .npy in metres, or a .png with near in white.",
        )
    if metres.ndim == 2:
        _check_pixels(path, metres.shape[1], metres.shape[0])
    try:
        return depth.check_depth(np.array(metres, order="C"), path.name)
    except ValueError as error:
        raise MaquetteError("bad-depth", str(error)) from error


def _opened(path: Path, code: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of sizes that we refuse ourselves, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
        try:
            _check_pixels(path, *image.size)
            image.load()
        except BaseException:
            image.close()
            raise
    except FileNotFoundError as error:
        raise MaquetteError(code, f"There is no file {path}.", "Correct its name.") from error
    except Image.DecompressionBombError as error:
        limit = Limits().side_max
        raise MaquetteError(
            code, f"{path} is far too large.", f"Scale it to at most {limit} pixels a side."
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise MaquetteError(
            code, f"{path} can't be read as a picture: {error}.", "Export it again, as PNG."
        ) from error
    return image


def _check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse what no server takes before it is decoded. Raises MaquetteError."""
    check_size(path.name, width, height, msgspec.structs.replace(Limits(), side_min=1))


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


def _read_levels(
    path: Path, metres_per_level: float | None, near_is_black: bool
) -> NDArray[np.float32]:
    with _opened(path, "bad-depth") as image:
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
    value = top - levels if near_is_black else levels.astype(np.float64)
    sky = value <= 0
    return np.where(sky, np.inf, _NEAREST_METRES * top / np.where(sky, 1.0, value)).astype("f4")


def _metres(levels: NDArray[np.integer], metres_per_level: float) -> NDArray[np.float32]:
    """Linear levels → metres, 0 being sky: nothing measured."""
    return np.where(levels == 0, np.inf, levels * metres_per_level).astype(np.float32)


def _read_npy(path: Path, metres_per_level: float | None) -> NDArray[np.floating]:
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
        return array
    if metres_per_level is None:
        raise MaquetteError(
            "bad-depth",
            f"{path.name} holds whole numbers ({array.dtype}), not metres.",
            "Say what one of them is with --metres-per-level, for instance 0.001 for millimetres.",
        )
    return _metres(array, metres_per_level)


def _read_exr(path: Path) -> NDArray[np.floating]:
    # Imported where it is needed: few depth maps are EXR.
    import OpenEXR

    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {
                name: np.array(channel.pixels)
                for part in range(len(file.parts))
                for name, channel in file.channels(part).items()
            }
    except (OSError, RuntimeError, ValueError) as error:
        raise MaquetteError(
            "bad-depth", f"{path} can't be read: {error}.", "Export it again as OpenEXR."
        ) from error
    array = channels[_depth_channel(path, channels)]
    limit = _HALF_MAX if array.dtype == np.float16 else depth.MAX_DEPTH
    metres = array.astype(np.float32)
    metres[metres >= limit] = np.inf
    return metres


def _depth_channel(path: Path, channels: dict[str, NDArray[np.generic]]) -> str:
    """The channel that holds depth, by its name."""
    named = [name for name in channels if name.rsplit(".", 1)[-1].lower() in _DEPTH_NAMES]
    in_pass = [name for name in named if "depth" in name.lower()]
    exact = [name for name in named if name.lower() == "z"]
    for candidates in (exact, in_pass, named, list(channels) if len(channels) == 1 else []):
        if candidates:
            return sorted(candidates)[0]
    raise MaquetteError(
        "bad-depth",
        f"{path.name} has no depth channel among {', '.join(sorted(channels))}.",
        "Switch the depth (Z) pass on and save it as OpenEXR.",
    )


def _assumed_view(width: int, height: int, name: str) -> View:
    focal = 2.0 * _LENS / _SENSOR
    across, up = (focal, focal * width / height)
    if height > width:
        across, up = (focal * height / width, focal)
    near, far = 0.1, 1000.0
    clip, shift = (near + far) / (near - far), 2.0 * near * far / (near - far)
    identity = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
    projection = (across, 0, 0, 0, 0, up, 0, 0, 0, 0, clip, shift, 0, 0, -1, 0)
    # Floating point also where a whole number would do: a View is hashed as it is written.
    return View(
        view_matrix=cast("Matrix", tuple(map(float, identity))),
        projection_matrix=cast("Matrix", tuple(map(float, projection))),
        width=width,
        height=height,
        name=name,
    )
