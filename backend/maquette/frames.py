"""One capture on a model's grid: what the model is given of it, and where its picture has edges."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.recipe import Lines
from numpy.typing import NDArray

from . import annotators, depth, framing
from .edges import is_exact, surface_ends
from .facades.guide import FacadeGuide
from .families.settings import ModelSettings
from .kept import Kept
from .lines import exact_lines
from .retouching.even_light import Lit
from .retouching.even_sky import EvenSky
from .retouching.even_surfaces import EvenSurfaces
from .retouching.outlines import Outlines
from .retouching.own_colors import OwnColors

_FLAT = 0.01
"""Encoded units, the least that depth differs by in what isn't one flat surface."""
_REVEAL = 4
"""Pixels from the edge of an opening within which colours are moved, a cell of latents."""
_OUTLINES = Kept[Outlines](8 << 20)
"""Which take some 5 to 10 bytes a pixel."""
_SURFACES = Kept[EvenSurfaces](2 << 20)
"""Which take some 40 bytes a pixel."""
_EXACT = Kept[bool](64 << 20)
_SKIES = Kept[EvenSky | None](8 << 20)
"""Which take some 9 bytes a pixel of the rows with sky."""


class PlansFor(Protocol):
    """What a plan needs to know of a loaded model, see `families.family.Family`."""

    settings: ModelSettings
    factor: int
    scheduler_config: dict[str, Any]

    @property
    def takes_lines(self) -> bool: ...

    @property
    def multiple(self) -> int: ...

    def completed(self, prompt: str, seed: int) -> str: ...

    def prompt_warnings(self, text: str, label: str) -> list[str]: ...

    def depth_channel(
        self, encoded: NDArray[np.float32], influence: float
    ) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Frame:
    """One capture on the model's grid.

    Attributes:
        index: its number in the job.
        size: (width, height) that its pictures are painted at.
        finished: (width, height) of its pictures, the same or larger.
        padded: (width, height) that the model works on.
        margin: pixels of the padding that are above and on the left, whole latent cells.
        color: uint8 sRGB at the padded size.
        depth: float32 [h, w], what the model is given of `padded`, at the resolution it wants.
        lines: uint8 [H, W] at the padded size, white on black; None where there are none.
        seen: uint8 [h, w], `depth` to look at, without the padding.
        outlines: where surfaces end, and then where openings do, for a model whose pictures are
            put right there.
        hold: how much of that, as much as depth has a say.
        openings: [H, W] of the finished size, how much of each pixel is one; None without any.
        own_colors: the capture's own ones that its pictures are given; None where they aren't.
        sky: where pictures have a sky that is to be evened, at the size that they are painted at.
        surfaces: those that are to be evened in pictures, if any.
        parted: whether faint edges between surfaces are made visible.
        warnings: sentences for the user about the capture.
    """

    index: int
    size: tuple[int, int]
    finished: tuple[int, int]
    padded: tuple[int, int]
    margin: int
    color: NDArray[np.uint8]
    depth: NDArray[np.float32]
    seen: NDArray[np.uint8]
    lines: NDArray[np.uint8] | None = None
    outlines: tuple[Outlines, ...] = ()
    hold: float = 1.0
    openings: NDArray[np.float32] | None = None
    own_colors: OwnColors | None = None
    sky: EvenSky | None = None
    surfaces: EvenSurfaces | None = None
    parted: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def enlarged(self) -> float:
        """Pixels of the finished picture for one that is painted, along a side."""
        return max(self.finished) / max(self.size)

    def cropped(self, painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture [H, W, 3] of what the model painted, at the padded size."""
        picture = self._enlarged(painted)
        if self.surfaces is None:
            return self.colored(self._sharpened(picture))
        # Whose colours are on their own side of edges then.
        picture = self.surfaces.evened(picture, self.hold)
        return self.colored(self.outlines[0].smoothed(picture, self.hold))

    def lit(self, painted: NDArray[np.uint8], scale: float) -> Lit:
        """What there is to take light out of in what the model painted, at the padded size. scale:
        painted pixels over which what varies is light."""
        plain = self._enlarged(painted)
        openings = np.zeros(plain.shape[:2]) if self.openings is None else self.openings
        ends = [outlines.ends for outlines in self.outlines]
        pixel = self.enlarged
        return Lit.of(plain, self._sharpened(plain), ends, openings, pixel, scale * pixel)

    def as_painted(self, values: NDArray[Any], none: Any) -> NDArray[Any]:
        """Of values [H, W] of the finished size those at the middle of each painted pixel, at the
        padded size; `none` in the padding."""
        (width, height), margin = self.size, self.margin
        rows, columns = (
            (2 * np.arange(wanted) + 1) * given // (2 * wanted)
            for wanted, given in zip((height, width), values.shape, strict=True)
        )
        result = np.full(self.padded[::-1], none, values.dtype)
        result[margin : margin + height, margin : margin + width] = values[np.ix_(rows, columns)]
        return result

    def colored(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture with the capture's own colours, where it is given them."""
        if self.own_colors is not None:
            picture = self.own_colors.given_to(picture)
        if self.parted and self.outlines:
            picture = self.outlines[0].parted(picture, self.hold)
        return np.ascontiguousarray(picture)

    def _enlarged(self, painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Of the finished size, without the margin."""
        (width, height), margin = self.size, self.margin
        picture = painted[margin : margin + height, margin : margin + width]
        if self.sky is not None:
            picture = self.sky.evened(picture, self.hold)
        return framing.resample(picture, self.finished)

    def _sharpened(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        for outlines in self.outlines:
            picture = outlines.sharpened(picture, self.hold)
        return picture

    def cells(self, factor: int) -> tuple[slice, slice]:
        """Rows and columns of the latent map that show the picture; factor: pixels to a cell."""
        first = self.margin // factor
        width, height = (-(-side // factor) for side in self.size)
        return slice(first, first + height), slice(first, first + width)


@dataclass(frozen=True)
class FrameMaker:
    """Makes the frames of a job's captures.

    Attributes:
        sizes: (width, height) that each capture is painted at. ranges: of its depth.
        finished: (width, height) of its pictures; where that is larger, they are enlarged and held
            to the capture's exact edges.
        influence: of the depth. lines: those that pictures are held to.
        seamless: whether pictures go on at their opposite edge.
        together: whether they agree on the surface that they see, where an edge of one is none of
            another.
        guide: lays out the openings, None where none are.
        windows: the kinds of windows that frames are wanted with.
        even: whether light is to be taken out of pictures.
        even_surfaces: whether surfaces are to be freed of blots.
        own_colors: how much of the captures' own colours pictures are given, 0 to 1.
    """

    captures: Sequence[Capture]
    sizes: Sequence[tuple[int, int]]
    finished: Sequence[tuple[int, int]]
    ranges: Sequence[depth.DepthRange]
    model: PlansFor
    influence: float
    lines: Lines
    seamless: bool
    together: bool
    guide: FacadeGuide | None
    windows: tuple[str | None, ...]
    even: bool
    even_surfaces: bool = False
    own_colors: float = 0.0

    def padded(self) -> tuple[tuple[int, int], ...]:
        """(width, height) that the model works on, of each capture."""
        return tuple(
            framing.padded_size(size, self.model.multiple, self._margin) for size in self.sizes
        )

    @property
    def _margin(self) -> int:
        settings, factor = self.model.settings, self.model.factor
        return 0 if self.seamless else -(-settings.margin // factor) * factor

    def make(self, index: int) -> dict[str | None, Frame]:
        """The frames of one capture, by kind of windows."""
        capture, (width, height) = self.captures[index], self.sizes[index]
        encoding = self.model.settings.depth
        metres, name = np.asarray(capture.depth), name_of(capture, index)
        encoded = depth.encode_depth(metres, self.ranges[index], encoding, (height, width), name)
        padded, margin = self.padded()[index], self._margin
        color = framing.resample(np.asarray(capture.color), (width, height))
        alone = not (self.seamless or self.together)
        plain = Frame(
            index=index,
            size=(width, height),
            finished=self.finished[index],
            padded=padded,
            margin=margin,
            color=framing.pad(color, padded, margin),
            depth=np.zeros((0, 0), np.float32),
            seen=np.zeros((0, 0), np.uint8),
            hold=min(self.influence, 1.0),
            parted=alone,
            warnings=() if self.seamless else _depth_warnings(metres, encoded, name),
        )
        settings = self.model.settings
        needed = self.even or self.even_surfaces
        plain = with_outlines(plain, capture, settings.outlines, self.seamless, needed)
        if settings.even_sky and alone:
            plain = with_even_sky(plain, capture)
        return {kind: self._with_windows(plain, capture, encoded, kind) for kind in self.windows}

    def _with_windows(
        self, plain: Frame, capture: Capture, encoded: NDArray[np.float32], kind: str | None
    ) -> Frame:
        frame, shown, openings, holes = plain, encoded, None, None
        # Nobody knows the surfaces of depth that was guessed.
        even = self.even_surfaces and _EXACT.of(
            capture, None, lambda: is_exact(np.asarray(capture.depth), capture.view)
        )
        if self.guide is not None and kind is not None:
            seen = self.guide.openings(plain.index, kind)
            width, height = plain.size
            openings = depth.area_resize(seen, (height, width))
            shown = depth.set_back(encoded, openings, self.model.settings.depth)
            width, height = plain.finished
            holes = depth.area_resize(seen, (height, width))
            frame = with_openings(plain, capture, holes, moved=not even)
        if even:
            frame = with_even_surfaces(frame, capture)
        frame = with_lines(frame, capture, self.lines, self.seamless, openings)
        if self.own_colors and not self.seamless:
            frame = with_own_colors(frame, capture, holes, self.own_colors)
        return with_depth(frame, shown, self.model, self.influence)


def name_of(capture: Capture, index: int) -> str:
    """A capture in words, by its number in the job."""
    return f"view {capture.view.name!r}" if capture.view.name else f"capture {index + 1}"


def _depth_warnings(
    metric: NDArray[np.float32], encoded: NDArray[np.float32], name: str
) -> tuple[str, ...]:
    if depth.is_all_sky(metric):
        return (
            f"There is nothing in front of the camera in {name}, so the picture follows the "
            "prompt and the background colour alone; point the camera at the model.",
        )
    if float(encoded.max() - encoded.min()) < _FLAT:
        return (
            f"One flat surface fills {name}, so its depth has no edge to follow; step back, or "
            "choose another view.",
        )
    return ()


def with_depth(
    frame: Frame, encoded: NDArray[np.float32], model: PlansFor, influence: float
) -> Frame:
    """The frame with its depth channel made of encoded depth [H, W] at the picture's size."""
    channel = model.depth_channel(framing.pad(encoded, frame.padded, frame.margin), influence)
    seen = depth.picture(channel)[frame.cells(frame.padded[0] // channel.shape[1])]
    return dataclasses.replace(frame, depth=channel.astype(np.float32, copy=False), seen=seen)


def with_outlines(
    frame: Frame, capture: Capture, radius: int, seamless: bool, needed: bool
) -> Frame:
    """The frame with the edges of its capture; radius: painted pixels within which colours are
    moved; needed: whether there are to be edges in any case."""
    enlarged = frame.enlarged > 1.0
    if enlarged:  # also what enlarging mixes across an edge
        radius = math.ceil((radius + 1) * frame.enlarged)
    if not (radius or needed):
        return frame

    def find() -> Outlines:
        metric = _depth_at(capture, frame.finished)
        return Outlines.of(metric, capture.view, radius, wraps=seamless, kept=not enlarged)

    outlines = _OUTLINES.of(capture, (frame.finished, radius, seamless, enlarged), find)
    return dataclasses.replace(frame, outlines=(outlines,))


def with_even_sky(frame: Frame, capture: Capture) -> Frame:
    """The frame with the sky of its capture, if there is one."""
    sky = _SKIES.of(capture, frame.size, lambda: EvenSky.of(_depth_at(capture, frame.size)))
    return dataclasses.replace(frame, sky=sky)


def with_even_surfaces(frame: Frame, capture: Capture) -> Frame:
    """The frame with the surfaces of its capture and its openings."""
    openings = frame.openings
    which = None if openings is None else hashlib.sha256(openings.tobytes()).digest()

    def find() -> EvenSurfaces:
        metric = _depth_at(capture, frame.finished)
        return EvenSurfaces.of(metric, capture.view, frame.outlines, openings, frame.enlarged)

    asked = frame.size, frame.finished, which
    return dataclasses.replace(frame, surfaces=_SURFACES.of(capture, asked, find))


def with_openings(
    frame: Frame, capture: Capture, openings: NDArray[np.float32], moved: bool
) -> Frame:
    """The frame with the edges of openings as well, where it has those of its capture. openings:
    [H, W] of the finished picture's size. moved: whether colours are moved at them."""
    if not (frame.outlines and openings.any()):
        return frame
    (plain,) = frame.outlines
    reveal = math.ceil(_REVEAL * frame.enlarged)
    radius = min(plain.radius, reveal) if moved else 0
    which = frame.finished, radius, hashlib.sha256(openings.tobytes()).digest()
    more = _OUTLINES.of(capture, which, lambda: plain.with_openings(openings, radius))
    return dataclasses.replace(frame, outlines=(plain, more), openings=openings)


def with_own_colors(
    frame: Frame, capture: Capture, openings: NDArray[np.float32] | None, share: float
) -> Frame:
    """The frame with the colours of its capture, 0 to 1 of them, for its pictures. openings: [H, W]
    of the finished picture's size, which have none."""
    metric = _depth_at(capture, frame.finished)
    ends = frame.outlines[0].ends if frame.outlines else surface_ends(metric, capture.view)
    covered = np.where(np.isfinite(metric), 0.0 if openings is None else openings, 1.0)
    color = framing.resample(np.asarray(capture.color), frame.finished)
    own = OwnColors.of(color, ends, covered, share)
    return dataclasses.replace(frame, own_colors=own)


def with_lines(
    frame: Frame,
    capture: Capture,
    kind: Lines,
    seamless: bool,
    openings: NDArray[np.float32] | None = None,
) -> Frame:
    """The frame with its lines; openings: [H, W] of the picture's size, whose outlines are among
    exact ones."""
    size = frame.size
    if kind == "none":
        return frame
    if kind == "exact":
        metric = _depth_at(capture, size)
        drawn = exact_lines(metric, capture.view, openings, wraps=seamless)
    else:
        drawn = annotators.detect_lines(kind, framing.resample(np.asarray(capture.color), size))
    return dataclasses.replace(frame, lines=framing.pad(drawn, frame.padded, frame.margin))


def _depth_at(capture: Capture, size: tuple[int, int]) -> NDArray[np.float32]:
    """A capture's depth in metres at a size (width, height): nowhere between two surfaces."""
    metric = np.asarray(capture.depth)
    rows, columns = (
        (np.arange(wanted) + 0.5) * given // wanted
        for wanted, given in zip(size[::-1], metric.shape, strict=True)
    )
    return metric[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
