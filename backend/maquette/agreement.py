"""Painted views of one scene that agree, pixel by pixel, on the surface that several of them see.

Latents of one wall differ with the distance and the slope that it is seen at, so their average
(`together`) brings views near to each other, and blurs. Pixels can be carried exactly. So when
views are decoded, each takes over what those paint that see a piece of surface best, and keeps what
it sees best itself: all show one building, and none is a mixture of several.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from maquette_wire.capture import Capture
from numpy.typing import NDArray
from scipy import sparse

from .frames import Frame
from .together import eyes_of, weights_of

_MARGIN = 0.02
"""Of the shorter side: what lies this near to a picture's edge is trusted less."""


@dataclass(frozen=True)
class Shared:
    """Which painted pixels show the same surface, in pairs [n]: numbers of pixels, row by row and
    view after view, of the one that takes over and the one that gives, and how much."""

    taking: NDArray[np.int64]
    giving: NDArray[np.int64]
    shares: NDArray[np.float32]

    def ties(
        self, regions: Sequence[NDArray[np.integer]], counts: Sequence[int]
    ) -> sparse.csr_array:
        """How many painted pixels regions of pictures share, symmetric, [r, r].

        regions: of each view the region of each painted pixel, [h, w], -1 for none. counts: how
        many regions each has; those of all are numbered one after the other.
        """
        starts = np.cumsum([0, *counts])
        every = [
            np.where(own < 0, -1, own + start).ravel()
            for own, start in zip(regions, starts[:-1], strict=True)
        ]
        numbers = np.concatenate(every)
        rows, columns = numbers[self.taking], numbers[self.giving]
        some = (rows >= 0) & (columns >= 0)
        entries = self.shares[some].astype(np.float64), (rows[some], columns[some])
        one_way = sparse.coo_array(entries, (starts[-1], starts[-1])).tocsr()
        return (one_way + one_way.T).tocsr()


def agree(
    captures: Sequence[Capture],
    frames: Sequence[Frame],
    painted: Sequence[NDArray[np.uint8]],
    given: Collection[int] = (),
) -> tuple[list[NDArray[np.uint8]], Shared]:
    """What models painted of each capture, uint8 sRGB [h, w, 3] at the padded size → the same,
    agreed, and what they share. given: numbers of the captures whose pictures are finished: they
    stay, and the others follow them where they see well enough."""
    eyes = eyes_of(captures, frames, 1, _MARGIN)
    starts = np.cumsum([0, *(eye.height * eye.width for eye in eyes)])
    flat = [each.reshape(-1, 3).astype(np.float32) for each in painted]
    agreed, taking, giving, shares = [], [], [], []
    for number, (eye, picture) in enumerate(zip(eyes, flat, strict=True)):
        if number in given:
            agreed.append(painted[number])
            continue
        weights, places = weights_of(eye, eyes, given)
        mixed = picture.copy()
        for other, (weight, place) in enumerate(zip(weights, places, strict=True)):
            some = np.flatnonzero(weight)
            if other == number or not len(some):
                continue
            own = weight[some]
            taps, parts = eyes[other].taps(place[some])
            seen = np.einsum("nkc,nk->nc", flat[other][taps], parts.astype(np.float32))
            mixed[some] += own[:, None] * (seen - picture[some])
            taking.append(starts[number] + some)
            giving.append(starts[other] + taps[np.arange(len(taps)), parts.argmax(1)])
            shares.append(own)
        agreed.append(mixed.round().clip(0, 255).astype(np.uint8).reshape(painted[number].shape))
    none = np.zeros(0)
    return agreed, Shared(
        np.concatenate([none, *taking]).astype(np.int64),
        np.concatenate([none, *giving]).astype(np.int64),
        np.concatenate([none, *shares]).astype(np.float32),
    )
