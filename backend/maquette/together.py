"""Views of one scene that agree on its surface: their clean latents, averaged where they see it.

A diffusion model paints each view on its own, and paints another building in each. While it does,
the clean latents that it expects at the end are averaged over the views that see the same piece of
surface (Liu et al., "Text-Guided Texturing by Synchronized Multi-View Diffusion", SIGGRAPH Asia
2024), always those and never the noisy ones (Kim et al., "SyncTweedies", NeurIPS 2024). Which cell
of a latent map sees what follows from the captures' exact depth alone, so the average is one
matrix, made once for a job.

Three things keep it from blurring. A view weighs by a high power of how well it sees, so that a
piece of surface is mostly its best view's. Maps are read with a cubic kernel. And a cell keeps its
own value where it shows an edge in depth, which no other view has in the same cell, and towards
the margin of the picture: there networks keep values far outside of the rest by which they steer
the normalisation of the whole picture (Karras et al., "Analyzing and Improving the Image Quality
of StyleGAN", CVPR 2020, section 2).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from maquette_wire.capture import Capture
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from .frames import Frame
from .texturing.jumps import away_from_jumps
from .texturing.projection import Camera, look, points_seen

SHARE = 0.65
"""Of the steps, from the first on, those that are synchronised: the last ones, which paint detail,
are each view's own, and a single one is. What they paint is agreed on in pixels (`agreement`)."""
_SHARPNESS = 12.0
"""Power of the quality that a view weighs in proportion to."""
_LEAST = 0.01
"""Weight, against the best view's, from which a view counts."""
_GIVEN = 3.0
"""A finished picture decides alone where no view sees so many times better, beyond in proportion.
"""
_CLEAN_CELLS = 0.75
"""From a jump of depth on, cells are trusted fully from this distance."""
_MARGIN = 0.125
"""Of the shorter side: the margin in which trust falls to nothing at a latent map's edge."""
_HIT = 1e-6


@dataclass(frozen=True)
class SurfaceAverage:
    """What the latent cells of all views of a job become.

    Attributes:
        sizes: (h, w) of each view's latents.
        matrix: float32 [cells, cells] over the cells of all views, row by row and view after view;
            rows sum to one. It is applied on the CPU, so that a device has no say in the result.
    """

    sizes: tuple[tuple[int, int], ...]
    matrix: sparse.csr_array

    def apply(self, clean: Sequence[Tensor]) -> list[Tensor]:
        """Clean latents [C, h, w] of each view → the same, agreed; float32 on the CPU.

        What no other view sees is returned bit for bit.
        """
        cells = torch.cat([each.detach().float().cpu().flatten(1) for each in clean], 1)
        agreed = torch.from_numpy(self.matrix @ np.ascontiguousarray(cells.numpy().T))
        parts = agreed.split([height * width for height, width in self.sizes])
        return [
            part.T.reshape(-1, *size).contiguous()
            for part, size in zip(parts, self.sizes, strict=True)
        ]

    @property
    def leader(self) -> int:
        """The view that counts most in what the others become."""
        counts = [height * width for height, width in self.sizes]
        starts = np.cumsum([0, *counts])
        taken = self.matrix.sum(0)
        by_others = [
            taken[start:end].sum() - self.matrix[start:end, start:end].sum()
            for start, end in itertools.pairwise(starts)
        ]
        return int(np.argmax(by_others))


def surface_average(
    captures: Sequence[Capture],
    frames: Sequence[Frame],
    factor: int,
    given: Collection[int] = (),
) -> SurfaceAverage:
    """The average for captures of one scene and their frames.

    factor: pixels for each latent cell and side. given: numbers of the captures whose pictures are
    finished; they keep all their cells, and the others follow them where they see well enough.
    """
    eyes = eyes_of(captures, frames, factor, _MARGIN)
    counts = [eye.height * eye.width for eye in eyes]
    starts = np.concatenate([[0], np.cumsum(counts)])
    total = int(starts[-1])
    kept = np.ones(total, np.float32)
    rows, columns, values = [], [], []
    for number, eye in enumerate(eyes):
        if number in given:
            continue
        weights, places = weights_of(eye, eyes, given)
        own = slice(starts[number], starts[number + 1])
        for other, (weight, place) in enumerate(zip(weights, places, strict=True)):
            if other == number:
                continue
            kept[own] -= weight
            some = np.flatnonzero(weight)
            taps, shares = eyes[other].taps(place[some])
            rows.append(np.repeat(starts[number] + some, taps.shape[1]))
            columns.append((starts[other] + taps).ravel())
            values.append((weight[some, None] * shares).ravel())
    every = np.arange(total)
    entries = np.concatenate([kept, *values]).astype(np.float32)
    indices = (np.concatenate([every, *rows]), np.concatenate([every, *columns]))
    return SurfaceAverage(
        tuple((eye.height, eye.width) for eye in eyes),
        sparse.coo_array((entries, indices), shape=(total, total)).tocsr(),
    )


def eyes_of(
    captures: Sequence[Capture], frames: Sequence[Frame], factor: int, margin: float
) -> list[Eye]:
    """The eyes of captures of one scene; factor: pixels for each cell and side. margin: see
    `Eye.of`."""
    # Near the cameras, so that float32 holds coordinates wherever in the world the scene is.
    matrix = np.array(captures[0].view.view_matrix, np.float64).reshape(4, 4)
    origin = -matrix[:3, :3].T @ matrix[:3, 3]
    pairs = zip(captures, frames, strict=True)
    return [Eye.of(*pair, factor, margin, origin) for pair in pairs]


@dataclass(frozen=True)
class Eye:
    """A capture and a grid of cells on it, of latents or of painted pixels, `scale` [2] of its
    pixels (x, y) to a cell; the grid begins `margin` [2] pixels to the left of it and above."""

    camera: Camera
    depth: Tensor
    trust: Tensor
    scale: NDArray[np.float64]
    margin: NDArray[np.float64]
    height: int
    width: int

    @classmethod
    def of(
        cls,
        capture: Capture,
        frame: Frame,
        factor: int,
        margin: float,
        origin: NDArray[np.float64],
    ) -> Eye:
        """margin: of the shorter side, the margin in which trust falls to nothing."""
        view = capture.view
        width, height = (side // factor for side in frame.padded)
        size = np.array([view.width, view.height], np.float64)
        scale = factor * size / frame.size
        depth = np.array(capture.depth, np.float32)
        from_jumps = away_from_jumps(depth, view) / (_CLEAN_CELLS * scale.max())
        x, y = np.arange(view.width) + 0.5, np.arange(view.height) + 0.5
        from_edge = np.minimum(
            np.minimum(x, view.width - x), np.minimum(y, view.height - y)[:, None]
        ) / (margin * size.min())
        trust = from_jumps.clip(0.0, 1.0) * from_edge.clip(0.0, 1.0)
        return cls(
            Camera.of(view, origin, torch.device("cpu")),
            torch.from_numpy(depth),
            torch.from_numpy(trust.astype(np.float32).reshape(-1, 1)),
            scale,
            frame.margin * scale / factor,
            height,
            width,
        )

    def centres(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the cells' centres see, over the cells: points [n, 3] and normals [n, 3], the own
        trust [n], and whether they see anything [n]; a cell of the padding doesn't."""
        x, y = (
            torch.from_numpy((np.arange(count) + 0.5) * scale - margin - 0.5).float()
            for count, scale, margin in zip(
                (self.width, self.height), self.scale, self.margin, strict=True
            )
        )
        y, x = (each.flatten() for each in torch.meshgrid(y, x, indexing="ij"))
        inside = (x >= -0.5) & (x <= self.camera.width - 0.5)
        inside &= (y >= -0.5) & (y <= self.camera.height - 0.5)
        points, normals = points_seen(self.camera, self.depth, torch.stack([x, y], 1))
        hit = inside & points.isfinite().all(1) & normals.isfinite().all(1)
        points, normals = (torch.where(hit[:, None], each, 0.0) for each in (points, normals))
        column = x.round().long().clamp(0, self.camera.width - 1)
        row = y.round().long().clamp(0, self.camera.height - 1)
        return points, normals, self.trust[row * self.camera.width + column, 0], hit

    def taps(self, pixels: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The 16 cells around pixels [n, 2] and their shares, both [n, 16], by cubic convolution
        (Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing, 1981)."""
        places = (pixels + self.margin + 0.5) / self.scale - 0.5
        corner = np.floor(places)
        t = places - corner
        shares = np.stack(
            [
                ((-0.5 * t + 1.0) * t - 0.5) * t,
                (1.5 * t - 2.5) * t * t + 1.0,
                ((-1.5 * t + 2.0) * t + 0.5) * t,
                (0.5 * t - 0.5) * t * t,
            ],
            1,
        )
        around = corner.astype(np.int64)[:, None] + np.arange(-1, 3)[:, None]
        around = around.clip(0, (self.width - 1, self.height - 1))
        cells = around[:, :, None, 1] * self.width + around[:, None, :, 0]
        both = shares[:, :, None, 1] * shares[:, None, :, 0]
        return cells.reshape(-1, 16), both.reshape(-1, 16)


def weights_of(
    eye: Eye, eyes: Sequence[Eye], given: Collection[int]
) -> tuple[NDArray[np.float32], list[NDArray[np.float64]]]:
    """What each view counts in the cells of one view: weights [views, n], which sum to the trust
    in the own cell or, where no view sees it well, to nothing; and where each view sees the cells,
    in its pixels [n, 2]."""
    points, normals, own, hit = eye.centres()
    across, facing = points.T.contiguous(), normals.T.contiguous()
    qualities, places = [], []
    for each in eyes:
        sight = look(each.camera, each.depth.flatten(), across, facing, least=0.0)
        quality = torch.zeros(len(points))
        quality[sight.rows] = sight.cosine * sight.density.sqrt() * sight.gather(each.trust)[:, 0]
        qualities.append(torch.where(hit, quality, 0.0))
        places.append(each.camera.locate(across)[1].T.double().numpy())
    quality = torch.stack(qualities)
    decides = torch.tensor([other in given for other in range(len(eyes))])[:, None]
    finished, free = quality * decides, quality * ~decides
    best = quality.amax(0).clamp(min=_HIT)
    lead = (_GIVEN * finished.amax(0) / best).clamp(max=1.0)
    weight = lead * _shares(finished) + (1.0 - lead) * _shares(free)
    return torch.where(quality.amax(0) > _HIT, weight * own, 0.0).numpy(), places


def _shares(quality: Tensor) -> Tensor:
    """What each view counts by its quality, both [views, n]: they sum to one, or to nothing where
    no view has any."""
    weight = (quality / quality.amax(0).clamp(min=_HIT)) ** _SHARPNESS
    weight = torch.where(weight >= _LEAST, weight, 0.0)
    return weight / weight.sum(0).clamp(min=_HIT)
