"""Drawing styles made from a render and the massing's maps: pencil, watercolour, blueprint.

Paper and hatching are fixed to the picture, not drawn by chance, so that a style follows from its
word.
"""

from __future__ import annotations

import numpy as np

from .edges import edge_map
from .images import blur, halve, luminance, step, to_bytes
from .render import Maps


def lines(maps: Maps) -> np.ndarray:
    """Strength of the massing's lines, [H, W], antialiased, from maps of twice the size."""
    return halve(
        (edge_map(maps.depth, maps.normals, maps.parts, maps.objects) > 0).astype(np.float32)
    )


def _paper(height: int, width: int, sigma: float, amount: float) -> np.ndarray:
    grain = np.random.default_rng(7).standard_normal((height, width)).astype(np.float32)
    soft = blur(grain, sigma)
    return 1.0 + amount * soft / soft.std()


def _hatch(height: int, width: int, angle: float, period: float) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = x * np.cos(angle) + y * np.sin(angle)
    return 0.5 + 0.5 * np.cos(2 * np.pi * along / period)


def pencil(card: np.ndarray, maps: Maps) -> np.ndarray:
    """Graphite on paper from a white-card render (sRGB 0..1, [H, W, 3]); uint8."""
    height, width = card.shape[:2]
    grey = luminance(card.astype(np.float32))
    inner = np.clip((step(grey) - 0.04) * 4.0, 0.0, 1.0)
    darkness = np.clip((0.86 - grey) * 1.5, 0.0, 1.0)
    first = np.clip(darkness * 2.2 - _hatch(height, width, 0.9, 3.6), 0.0, 1.0)
    second = np.clip(darkness * 1.8 - 0.75 - _hatch(height, width, 2.3, 3.2), 0.0, 1.0)
    sheet = _paper(height, width, 0.8, 0.02)
    ink = 1.0 - (1.0 - 0.45 * first) * (1.0 - 0.5 * second) * (1.0 - 0.55 * inner) * (
        1.0 - 0.85 * lines(maps)
    )
    page = np.array([0.965, 0.95, 0.915], np.float32)
    graphite = np.array([0.20, 0.20, 0.22], np.float32)
    ink = np.clip(ink * (1.0 - 6.0 * (sheet - 1.0)), 0.0, 1.0)[..., None]
    return to_bytes(page * sheet[..., None] * (1.0 - ink) + graphite * ink)


def _flatten(picture: np.ndarray, rounds: int = 2, radius: int = 2) -> np.ndarray:
    """Kuwahara filter: of four neighbouring squares the mean of the calmest, which leaves
    patches of even colour."""
    for _ in range(rounds):
        mean = _box(picture, radius + 1)
        square = _box(picture**2, radius + 1)
        spread = (square - mean**2).sum(-1)
        best = np.full(spread.shape, np.inf, np.float32)
        result = picture.copy()
        for dy in (0, radius):
            for dx in (0, radius):
                moved = np.roll(spread, (-dy, -dx), (0, 1))
                choose = moved < best
                best = np.where(choose, moved, best)
                result = np.where(choose[..., None], np.roll(mean, (-dy, -dx), (0, 1)), result)
        picture = result
    return picture


def _box(picture: np.ndarray, size: int) -> np.ndarray:
    """Mean of the square of `size` pixels whose last corner each pixel is."""
    result = np.pad(picture, [(size - 1, 0), (size - 1, 0), (0, 0)], mode="edge")
    for axis in (0, 1):
        count = picture.shape[axis]
        shifted = [np.take(result, range(i, i + count), axis) for i in range(size)]
        result = np.add.reduce(shifted) / size
    return result


def watercolour(photo: np.ndarray, maps: Maps) -> np.ndarray:
    """Washes with darker rims on white paper from a photographic finish (sRGB 0..1, [H, W, 3]);
    uint8."""
    height, width = photo.shape[:2]
    wash = _flatten(photo.astype(np.float32))
    rim = np.clip(blur(step(luminance(wash)), 0.7) * 2.2, 0.0, 0.3)[..., None]
    sheet = _paper(height, width, 0.9, 0.025)[..., None]
    pools = _paper(height, width, 14.0, 0.035)[..., None]
    light = 1.0 - (1.0 - wash) * 0.86
    colour = light * (1.0 - rim) * sheet * pools
    pale = luminance(colour)[..., None]
    colour = pale + (colour - pale) * 1.18
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    border = np.minimum.reduce([x / width, y / height, 1 - x / width, 1 - y / height])
    ragged = border + 0.012 * (_paper(height, width, 3.0, 1.0) - 1.0)
    inside = np.clip((ragged - 0.02) / 0.035, 0.0, 1.0)[..., None]
    page = np.array([0.975, 0.968, 0.945], np.float32) * sheet
    drawn = colour * (1.0 - 0.35 * lines(maps)[..., None])
    return to_bytes(page * (1.0 - inside) + np.minimum(drawn, page) * inside)


def blueprint(card: np.ndarray, maps: Maps) -> np.ndarray:
    """White lines on blue from a white-card render (sRGB 0..1, [H, W, 3]); uint8."""
    height, width = card.shape[:2]
    grey = luminance(card.astype(np.float32))
    inner = np.clip((step(grey) - 0.03) * 4.0, 0.0, 0.6)
    ink = np.clip(np.maximum(inner, lines(maps)), 0.0, 1.0)[..., None]
    y, x = np.mgrid[0:height, 0:width]
    grid = ((x % 16 == 0) | (y % 16 == 0)).astype(np.float32)[..., None] * 0.1
    ground = np.array([0.09, 0.22, 0.47], np.float32) * _paper(height, width, 4.0, 0.03)[..., None]
    return to_bytes(ground * (1 - grid) + grid * 0.6 + (0.93 - ground) * ink)
