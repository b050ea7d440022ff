"""The depth contract: metric depth of a capture → the depth channel that a model sees.

Training and inference call these functions, so a model never meets an encoding it was not trained
on. Metric depth comes in (float32 metres along the view axis, +inf where nothing was hit), and a
map in [-1, 1] goes out: +1 is nearest, -1 is sky, and everything that was hit lies above the sky
by at least `DepthEncoding.sky_gap`.

Encoded depth is affine in (1/z)^power. With power 1 that is inverse depth, the form MiDaS predicts
(Ranftl et al., "Towards Robust Monocular Depth Estimation", TPAMI 2022) and Stable Diffusion 2
depth was trained on; a smaller power spends less of the range on the foreground. The two ends of
the range are percentiles of the capture's own depth: models learn from whole ranges, and a railing
before the lens or a stray object at the horizon does not squeeze the building.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_DEPTH = 1e7
"""Metres; a finite depth beyond it is a renderer's stand-in for "nothing", not a distance."""
MIN_DEPTH = 1e-5
"""Metres; nearer than any lens can focus."""

ASSUMED_FAR = 40.0
"""Metres from the farthest surface of a channel without a scale, whose nearest is at 1 m."""

_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class DepthEncoding:
    """How one model wants its depth; kept in the model's directory (`maquette.json`).

    power: exponent of inverse depth (1.0 inverse depth, 0.5 its square root).
    near_percentile: share of hit pixels (percent) that are farther than the near end.
    far_percentile: share of hit pixels (percent) that are farther than the far end.
    sky_gap: distance in encoded units kept between the sky (-1) and the far end.
    min_span: least ratio (1 - far/near in encoded power) that fills the range, so that a flat wall
        stays flat and its rounding errors are not stretched into relief.
    recess: encoded units by which openings of walls lie behind them (`set_back`); 0 for a model
        that was not trained to see openings.
    """

    power: float = 1.0
    near_percentile: float = 98.0
    far_percentile: float = 0.5
    sky_gap: float = 0.1
    min_span: float = 0.02
    recess: float = 0.0

    def __post_init__(self) -> None:
        if not 0.05 <= self.power <= 2.0:
            raise ValueError(f"The depth encoding's power is {self.power}; give 0.05 to 2.")
        if not 0.0 <= self.far_percentile < self.near_percentile <= 100.0:
            raise ValueError(
                "The depth encoding's percentiles need 0 <= far < near <= 100, "
                f"not far {self.far_percentile} and near {self.near_percentile}."
            )
        if not 0.0 <= self.sky_gap <= 1.0:
            raise ValueError(f"The depth encoding's sky_gap is {self.sky_gap}; give 0 to 1.")
        if not 0.0 < self.min_span < 1.0:
            raise ValueError(f"The depth encoding's min_span is {self.min_span}; give 0 to 1.")
        if not 0.0 <= self.recess <= 1.0:
            raise ValueError(f"The depth encoding's recess is {self.recess}; give 0 to 1.")


@dataclass(frozen=True, slots=True)
class DepthRange:
    """The depths (metres) at the two ends of the encoding."""

    near: float
    far: float

    def __post_init__(self) -> None:
        if not 0.0 < self.near <= self.far < np.inf:
            raise ValueError(
                f"A depth range needs 0 < near <= far, not {self.near} m to {self.far} m."
            )


def check_depth(depth: NDArray[np.floating], name: str = "the capture") -> NDArray[np.float32]:
    """Depth [h, w] as float32 metres, or a ValueError that names the capture and the fault."""
    array = np.asarray(depth)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"The depth of {name} has shape {array.shape}; it must be height x width, not empty."
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"The depth of {name} is {array.dtype}; it must be floating-point metres.")
    sky = array == np.inf
    faults = (
        (np.isnan(array), "is not a number", "render the depth again"),
        (array <= 0.0, "is zero or negative", "give metres in front of the camera"),
        (array < MIN_DEPTH, f"is nearer than {MIN_DEPTH:g} m", "check the scene's unit scale"),
        (
            (array > MAX_DEPTH) & ~sky,
            f"is farther than {MAX_DEPTH:g} m",
            "mark pixels where nothing was hit with +inf",
        ),
    )
    for bad, what, fix in faults:
        count = int(np.count_nonzero(bad))
        if count:
            row, column = (int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"The depth of {name} {what} in {count} of {array.size} pixels "
                f"(first at row {row}, column {column}); {fix}."
            )
    return array.astype(np.float32, copy=False)


def is_all_sky(depth: NDArray[np.floating]) -> bool:
    """Whether a capture hit nothing; its map is -1 everywhere, and a caller should warn."""
    return bool(np.all(depth == np.inf))


def depth_range(
    depth: NDArray[np.floating], encoding: DepthEncoding, name: str = "the capture"
) -> DepthRange:
    """The robust range of a capture's depth [h, w] in metres, +inf for sky.

    Where nothing was hit the range is (1, 1): every pixel is sky and none is measured. Raises
    ValueError for depth that `check_depth` refuses.
    """
    checked = check_depth(depth, name)
    hit = checked[np.isfinite(checked)]
    if not hit.size:
        return DepthRange(near=1.0, far=1.0)
    hit = hit[:: max(1, hit.size // _SAMPLES)].astype(np.float64)
    # Percentiles of depth: the near end leaves (100 - near_percentile) percent in front of it.
    percents = (100.0 - encoding.near_percentile, 100.0 - encoding.far_percentile)
    near, far = np.percentile(hit, percents, method="inverted_cdf")
    return DepthRange(near=float(near), far=float(far))


def encode_depth(
    depth: NDArray[np.floating],
    depth_range: DepthRange,
    encoding: DepthEncoding,
    size: tuple[int, int],
    name: str = "the capture",
) -> NDArray[np.float32]:
    """Metric depth [H, W] → the model's depth channel [h, w] in [-1, 1], float32.

    size: (h, w), the latent size. The map is encoded at full size and then averaged over the area
    of each output pixel, so that a silhouette falls between sky and wall by its coverage; a size
    larger than the capture repeats pixels. A surface at one depth gives one value, never NaN; a
    capture that hit nothing gives -1 everywhere. Raises ValueError as `check_depth` does.
    """
    checked = check_depth(depth, name)
    near = depth_range.near**-encoding.power
    far = min(depth_range.far**-encoding.power, near * (1.0 - encoding.min_span))
    sky = checked == np.inf
    inverse = np.where(sky, np.float32(1.0), checked) ** np.float32(-encoding.power)
    share = np.clip((inverse - np.float32(far)) / np.float32(near - far), 0.0, 1.0)
    encoded = np.float32(2.0 - encoding.sky_gap) * share + np.float32(encoding.sky_gap - 1.0)
    encoded[sky] = -1.0
    return np.clip(area_resize(encoded, size), -1.0, 1.0)


def set_back(
    encoded: NDArray[np.float32], openings: NDArray[np.float32], encoding: DepthEncoding
) -> NDArray[np.float32]:
    """A depth channel [h, w] with openings in its walls: the same step behind them everywhere, far
    larger than a window's reveal would be at the distance of a building, so that a model sees it.

    openings: float32 [h, w], the share of each cell that is an opening, 0 to 1.
    """
    shown = encoded - np.float32(encoding.recess) * openings
    return np.clip(shown, -1.0, 1.0).astype(np.float32, copy=False)


def decode_depth(
    encoded: NDArray[np.floating], encoding: DepthEncoding, sky_below: float = 0.25
) -> NDArray[np.float32]:
    """A depth channel [h, w] in [-1, 1] → metres at an assumed scale, float32, +inf for sky.

    The nearest surface comes to 1 m and the farthest to `ASSUMED_FAR`; encoded again, with the
    same encoding, the channel is what it was, but for the percentiles clipped. sky_below: the share
    of the gap between sky and the farthest surface below which a value is sky.
    """
    near, far = 1.0, ASSUMED_FAR**-encoding.power
    surface = (encoded - (encoding.sky_gap - 1.0)) / (2.0 - encoding.sky_gap)
    inverse = far + (near - far) * np.clip(surface, 0.0, 1.0)
    metres = inverse ** (-1.0 / encoding.power)
    sky = encoded < -1.0 + sky_below * encoding.sky_gap
    return np.where(sky, np.inf, metres).astype(np.float32)


def picture(encoded: NDArray[np.floating]) -> NDArray[np.uint8]:
    """What the model saw, to look at: [h, w] in [-1, 1] → uint8, near white and sky black."""
    return np.rint((np.clip(encoded, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)


def area_resize(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """[H, W] → [h, w], each output pixel the mean of the input over its area (a box filter)."""
    rows, columns = size
    if rows < 1 or columns < 1:
        raise ValueError(f"A depth map needs a size of at least 1 x 1, not {rows} x {columns}.")
    return np.ascontiguousarray(_rows(_rows(image, rows).T, columns).T)


def enlarged(image: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    """[h, w] → [H, W] for a size (W, H), linearly."""
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))


def _rows(image: NDArray[np.float32], parts: int) -> NDArray[np.float32]:
    """[H, W] → [parts, W], each row the mean of the input over its height."""
    length = len(image)
    if parts == length:
        return image
    if length % parts == 0:
        return image.reshape(parts, length // parts, -1).mean(axis=1)
    return _overlap(length, parts) @ image


def _overlap(length: int, parts: int) -> NDArray[np.float32]:
    """[parts, length]: the share of each output cell that each input cell covers; rows sum to 1."""
    edges = np.linspace(0.0, length, parts + 1)
    cells = np.arange(length)
    low = np.maximum(edges[:-1, None], cells[None, :])
    high = np.minimum(edges[1:, None], cells[None, :] + 1)
    share = np.clip(high - low, 0.0, None)
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
