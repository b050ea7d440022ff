"""Texels' colours of the views that see them best.

A texel is coloured by each view in proportion to a high power of how well that view sees it: how
squarely, how closely, and how far from a jump of depth. So a texel has its best view's colour
alone, and two views mix only in a narrow band where they see equally well; wide mixing would show
two pictures' windows at once.

How well a view sees anything of a part of a triangle has a bound that costs little. So views are
asked from the best bound on, and a texel is done where no other can add to what it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .eye import Eye
from .tensors import order, put_at, which_above, which_equal

_SQUARINGS = 5
_SHARPNESS = 2**_SQUARINGS
"""Power of the quality that a view colours a texel in proportion to."""
_NOTHING = 1e-4
"""Share of a view in a colour that is less than a level of a picture anywhere."""
_LESS = _NOTHING ** (1 / _SHARPNESS)
"""Quality, against another's, below which a view adds nothing."""


def ranked(bounds: Tensor) -> tuple[Tensor, Tensor]:
    """The views int16 [views, n] to ask about each part of a surface, best first, and from where on
    it is none the number of views; and their bounds. bounds: [views, n], how well a view sees
    anything of a part, at most."""
    bounds, views = bounds.sort(0, descending=True)
    return views.short().masked_fill_(bounds <= 0.0, len(bounds)), bounds


def grouped(views: Tensor) -> Tensor:
    """The parts [p] that any view may see, of those with `ranked` views [views, n]: those of the
    same first view together, and of them those of the same second."""
    first, second = views[0].int(), views[min(1, len(views) - 1)]
    parts = order(first * (len(views) + 1) + second)
    return parts[: int((first < len(views)).sum())]


class Blend:
    """The mixture of views at points [3, n], which lie on `planes` [n] of those with `normals`
    [3, k]. `cosine` [n] is of the view that sees a point best, 0 where none does."""

    def __init__(self, points: Tensor, planes: Tensor, normals: Tensor) -> None:
        self.points, self.planes, self.normals = points, planes, normals
        count = points.shape[1]
        # The best view's quality and cosine, and sums of colours and of their weights.
        self._state = torch.empty(6, count, device=points.device)
        self._best, self.cosine = self._state[:2]
        self._sum = self._state[2:]
        self._lights: Tensor | None = None

    def ask(
        self,
        eyes: Sequence[Eye],
        offsets: Tensor,
        views: Tensor,
        bounds: Tensor,
        counts: Tensor,
        lights: Tensor | None = None,
    ) -> None:
        """Add what these views see. The planes are those of parts, with `counts` [p] points in
        each; views and their bounds, [views, p], are `ranked`, and those of a first view together.
        offsets: [views, p], of each view what `Eye.offsets` says of the parts' planes.
        lights: [views, 3, p], what the colours of parts are multiplied with."""
        self._lights = lights
        start = 0
        for number, (eye, own) in enumerate(zip(eyes, offsets, strict=True)):
            some = slice(start, start + int(counts[views[0] == number].sum()))
            if some.stop > start:
                self._begin(number, eye, own, some)
            start = some.stop
        # Those that a view may still add to; a later view may add to less of them.
        rows = None
        for asked, bound in zip(views[1:], bounds[1:] / _LESS, strict=True):
            if rows is None:
                rows = which_above(bound.index_select(0, self.planes), self._best)
            else:
                limit = bound.index_select(0, self.planes.index_select(0, rows))
                rows = rows.index_select(0, which_above(limit, self._best.index_select(0, rows)))
            if not len(rows):
                return
            numbers = asked.index_select(0, self.planes.index_select(0, rows))
            for number, (eye, own) in enumerate(zip(eyes, offsets, strict=True)):
                some = rows.index_select(0, which_equal(numbers, number))
                if len(some):
                    self._add(number, eye, own, some)

    def colors(self) -> Tensor:
        """Linear, [3, n]; once, when all views have been asked."""
        return self._sum[:3].div_(self._sum[3].clamp_(min=1.0))

    def _see(
        self, number: int, eye: Eye, points: Tensor, planes: Tensor, offsets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As the view of that number sees points, in the light that is wanted."""
        quality, cosine, colors = eye.see(points, self.normals, planes, offsets)
        if self._lights is not None:
            colors = colors * self._lights[number].index_select(1, planes)
        return quality, cosine, colors

    def _begin(self, number: int, eye: Eye, offsets: Tensor, some: slice) -> None:
        """Take what the first view sees of these points."""
        quality, cosine, colors = self._see(
            *(number, eye, self.points[:, some], self.planes[some], offsets)
        )
        self._best[some], self._sum[:3, some] = quality, colors
        seen = torch.gt(quality, 0.0, out=self._sum[3, some])
        torch.mul(cosine, seen, out=self.cosine[some])

    def _add(self, number: int, eye: Eye, offsets: Tensor, rows: Tensor) -> None:
        points, planes = self.points.index_select(1, rows), self.planes.index_select(0, rows)
        quality, cosine, colors = self._see(number, eye, points, planes, offsets)
        state = self._state.index_select(1, rows)
        before, of_best, mixed = state[0], state[1], state[2:]
        # Against the better one, whose share is one.
        shares = torch.stack([before, quality])
        better = quality.gt_(before)
        torch.maximum(*shares, out=before)
        shares /= before.clamp(min=1e-12)
        for _ in range(_SQUARINGS):
            shares.square_()
        stays, added = shares
        mixed *= stays
        mixed[:3].addcmul_(colors, added)
        mixed[3] += added
        of_best.lerp_(cosine, better)
        put_at(self._state, rows, state)
