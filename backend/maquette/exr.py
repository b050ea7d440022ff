"""OpenEXR files of renderers: which channels are the picture, which the depth.

Channels are found by name, in any case. A part's name goes before those of its channels, so that
several parts read like one with layers. What each renderer writes, and what its depth means, is in
docs/inputs.md.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from .depth import MAX_DEPTH
from .raster import check_file, check_pixels
from .srgb import srgb_of_linear

Near = Literal["white", "black"]

_BEAUTY = ("", "composite.combined", "combined", "beauty", "rgba", "rgb", "effectsresult", "color")
"""Layers that are the picture, the best first; of a layer's name its end counts."""
_DATA = re.compile(
    r"depth|normal|position|crypto|matte|mask|velocity|vector|motion|albedo|uv|_?id$", re.IGNORECASE
)
"""Layers whose R, G and B are no picture."""
_COLORS = {"r": "r", "red": "r", "g": "g", "green": "g", "b": "b", "blue": "b"}
_ALPHAS = ("a", "alpha")
_DEPTHS = ("z", "v", "y", "depth", "r")
"""Channels of a depth layer, the first of which holds it: R where a renderer writes it as grey."""
_NEAR_IS_WHITE = re.compile(r"(^|\.)c(geometry|essential)_zdepth", re.IGNORECASE)
"""Layers that a renderer always writes with near in white: Corona's."""
_HALF_MAX = 65504.0
_DECODED_BYTES = 4 * 1024**3

Window = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""


@dataclass(frozen=True)
class Channel:
    """Pixels of one channel, and where they lie in the picture."""

    pixels: NDArray[Any]
    window: Window


@dataclass(frozen=True)
class Exr:
    """A decoded file.

    Attributes:
        channels: by name, with the layer before a dot.
        window: of the picture; channels may have pixels for less or more than that.
    """

    path: Path
    channels: dict[str, Channel]
    window: Window

    def placed(self, name: str, outside: float) -> NDArray[np.float32]:
        """A channel as [height, width] of the picture; ``outside``: where it has no pixels."""
        channel = self.channels[name]
        left, top, width, height = self.window
        x, y = channel.window[0] - left, channel.window[1] - top
        down, across = channel.pixels.shape
        placed = np.full((height, width), outside, np.float32)
        inner = channel.pixels[max(-y, 0) : height - y, max(-x, 0) : width - x]
        if inner.size:
            placed[max(y, 0) : y + down, max(x, 0) : x + across] = inner
        return placed

    def color(self) -> NDArray[np.uint8]:
        """The picture as sRGB [height, width, 3]: scene-linear, alpha over white.

        Raises MaquetteError("bad-picture").
        """
        names = self._colors()
        linear = np.stack([self.placed(name, 0.0) for name in names["rgb"]], axis=-1)
        if "a" in names:
            # Colours are multiplied with their alpha in OpenEXR, by its specification.
            linear += 1.0 - self.placed(names["a"][0], 0.0).clip(0.0, 1.0)[..., None]
        encoded = srgb_of_linear(np.nan_to_num(linear, nan=0.0, posinf=1.0, neginf=0.0))
        return np.rint(encoded * 255.0).astype(np.uint8)

    def _colors(self) -> dict[str, list[str]]:
        """Names of the channels of the picture: "rgb", and "a" where there is one."""
        layers: dict[str, dict[str, str]] = {}
        for name in self.channels:
            layer, channel = _split(name)
            if channel in _COLORS:
                layers.setdefault(layer, {})[_COLORS[channel]] = name
            elif channel in _ALPHAS:
                layers.setdefault(layer, {})["a"] = name
        full = {layer: found for layer, found in layers.items() if {*"rgb"} <= found.keys()}
        chosen = _beauty(full)
        if chosen is not None:
            found = full[chosen]
            rgb = [found[channel] for channel in "rgb"]
            return {"rgb": rgb, "a": [found["a"]]} if "a" in found else {"rgb": rgb}
        greys = {_split(name)[1]: name for name in self.channels if _split(name)[0] == ""}
        if "y" in greys and not {"ry", "by"} & greys.keys():
            return {"rgb": [greys["y"]] * 3}
        raise MaquetteError(
            "bad-picture",
            f"{self.path.name} holds no colour: its channels are {listed(self.channels)}.",
            "Save it with the beauty (Combined) pass as R, G and B.",
        )

    @cached_property
    def depth_channel(self) -> str | None:
        """The channel that says by its name that it is depth; None where none does."""
        layers: dict[str, list[str]] = {}
        for name in self.channels:
            layer, _, channel = name.rpartition(".")
            within = re.split(r"[./]", layer)[-1].lower()
            if channel.lower() == "z" and not layer:
                return name
            if "depth" in within and "denois" not in within and channel.lower() in _DEPTHS:
                layers.setdefault(layer, []).append(name)
            elif "depth" in channel.lower():
                layers.setdefault(name, []).append(name)
        if not layers:
            return None
        first = layers[min(layers)]
        return min(first, key=lambda name: (*_DEPTHS, "").index(_known(name)))

    @property
    def only_channel(self) -> str | None:
        """The channel of a file that holds nothing but one, or one three times."""
        names = [name for name in self.channels if _split(name)[1] not in _ALPHAS]
        if len(names) == 1:
            return names[0]
        if sorted(_split(name)[1] for name in names) == ["b", "g", "r"]:
            first, *others = (self.channels[name].pixels for name in names)
            if all(np.array_equal(first, other) for other in others):
                return names[0]
        return None

    def depth(
        self, name: str, metres_per_level: float | None = None, near: Near | None = None
    ) -> NDArray[np.float32]:
        """A depth channel as metres [height, width], +inf for sky, not yet checked.

        Infinity, anything beyond 10,000 km (renderers write 1e10) and the largest half float are
        sky. Values that all lie within 0 to 1 are no metres but shades between two distances that
        the file doesn't tell.

        Args:
            metres_per_level: what a value of 1 is, where the file isn't in metres.
            near: which end of the shades is near, where the file's name for it doesn't say.

        Raises MaquetteError("bad-depth").
        """
        pixels = self.channels[name].pixels
        shades = np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1
        if metres_per_level is not None or not shades:
            if near is not None:
                raise MaquetteError(
                    "bad-depth",
                    f"{self.path.name} holds metres, in which near is never {near}.",
                    f"Leave --near-is-{near} out.",
                )
            metres = self.placed(name, np.inf)
            metres[metres >= (_HALF_MAX if pixels.dtype == np.float16 else MAX_DEPTH)] = np.inf
            return metres * np.float32(metres_per_level or 1.0)
        near = near or ("white" if _NEAR_IS_WHITE.search(name) else None)
        if near is None:
            raise MaquetteError(
                "bad-depth",
                f"The depth of {self.path.name} (channel {name}) is no distance but shades from "
                "0 to 1, and renderers disagree on which of them is near.",
                "Say --near-is-white or --near-is-black, or render distances. If they are metres, "
                "say --metres-per-level 1.",
            )
        if near == "white":
            return relative(self.placed(name, 0.0))
        return relative(1.0 - self.placed(name, 1.0))


def relative(near_to_far: NDArray[np.floating]) -> NDArray[np.float32]:
    """Relative inverse depth, 1 nearest and 0 sky → metres at an assumed scale, +inf for sky."""
    sky = near_to_far <= 0.0
    return np.where(sky, np.inf, 1.0 / np.where(sky, 1.0, near_to_far)).astype(np.float32)


def read(path: Path, code: str) -> Exr:
    """Decode a file. Raises MaquetteError(``code``), or "capture-too-large" before decoding."""
    # Imported where it is needed: few pictures are EXR.
    import OpenEXR

    check_file(path, code)
    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            _check_headers(path, code, [part.header for part in file.parts])
            count = len(file.parts)
        # What is wrong with pixels is printed, and their part left out.
        with (
            contextlib.redirect_stdout(io.StringIO()),
            OpenEXR.File(str(path), separate_channels=True) as file,
        ):
            if len(file.parts) < count:
                raise ValueError("it is damaged or cut off")
            window = _window(file.parts[0].header["displayWindow"])
            several = count > 1
            channels = {
                _full_name(part.name() if several else "", name): Channel(
                    np.array(channel.pixels), _window(part.header["dataWindow"])
                )
                for part in file.parts
                for name, channel in part.channels.items()
                if (channel.xSampling, channel.ySampling) == (1, 1)
            }
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().rstrip(".")
        raise MaquetteError(
            code, f"{path} can't be read: {reason}.", "Export it again as OpenEXR."
        ) from error
    return Exr(path, channels, window)


def _check_headers(path: Path, code: str, headers: list[dict[str, Any]]) -> None:
    decoded = 0
    for header in headers:
        if "deep" in str(header.get("type")):
            raise MaquetteError(
                code,
                f"{path.name} holds deep pixels, several for each place.",
                "Save it flattened, as scan lines.",
            )
        for name in ("displayWindow", "dataWindow"):
            *_, width, height = _window(header[name])
            check_pixels(path, width, height)
        *_, width, height = _window(header["dataWindow"])
        decoded += 4 * width * height * len(header["channels"])
    if decoded > _DECODED_BYTES:
        raise MaquetteError(
            "capture-too-large",
            f"{path.name} is {decoded / 1024**3:.1f} GB when it is decoded.",
            "Save it with fewer layers.",
        )


def _window(box: tuple[NDArray[np.int32], NDArray[np.int32]]) -> Window:
    (left, top), (right, bottom) = ((int(x), int(y)) for x, y in box)
    return left, top, right - left + 1, bottom - top + 1


def _full_name(part: str, channel: str) -> str:
    inside = not part or channel.lower().startswith(f"{part.lower()}.")
    return channel if inside else f"{part}.{channel}"


def _split(name: str) -> tuple[str, str]:
    """A channel's layer and its own name, in lower case."""
    layer, _, channel = name.lower().rpartition(".")
    return layer, channel


def _known(name: str) -> str:
    channel = _split(name)[1]
    return channel if channel in _DEPTHS else ""


def _beauty(layers: Iterable[str]) -> str | None:
    """The layer that is the picture, of those that have R, G and B."""
    named = sorted(layers)
    for wanted in _BEAUTY:
        for layer in named:
            if layer == wanted or (wanted and layer.endswith(f".{wanted}")):
                return layer
    return next((layer for layer in named if not _DATA.search(layer)), None)


def listed(channels: Iterable[str]) -> str:
    names = sorted(channels)
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
