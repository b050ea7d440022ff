"""The farthest depth in any part of a depth map, from four look-ups.

Each level of the pyramid holds the farthest of two by two of the one below (Greene, Kass and
Miller, "Hierarchical Z-Buffer Visibility", SIGGRAPH 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

_FIRST = 2
"""The finest level, as a power of two of the pixels that a side of its cells has."""


@dataclass(frozen=True)
class Pyramid:
    """`values`: all levels, one after another; of each level, `starts` int32 [l] is where it begins
    in them and `widths` int32 [l] its width."""

    width: int
    height: int
    values: Tensor
    starts: Tensor
    widths: Tensor

    @classmethod
    def of(cls, depth: Tensor) -> Pyramid:
        """depth: [h, w]."""
        cell = 1 << _FIRST
        height, width = depth.shape
        whole = pad(depth, (0, -width % cell, 0, -height % cell), value=-torch.inf)
        levels = [whole.unflatten(0, (-1, cell)).amax(1).unflatten(1, (-1, cell)).amax(2)]
        while levels[-1].numel() > 1:
            levels.append(max_pool2d(levels[-1][None], 2, ceil_mode=True)[0])
        *starts, _ = accumulate((each.numel() for each in levels), initial=0)
        widths = [each.shape[1] for each in levels]
        starts, widths = torch.tensor([starts, widths], dtype=torch.int32, device=depth.device)
        values = torch.cat([each.flatten() for each in levels])
        return cls(width, height, values, starts, widths)

    def farthest(self, middles: Tensor, reach: Tensor) -> Tensor:
        """[n], the farthest depth within `reach` [2, n] pixels of the pixels (x, y), both [2, n]
        and finite; of few pixels more."""
        # The level where twice the reach is no more than a cell, so that two cells hold it.
        level = (2.0 * reach.amax(0)).clamp(min=1.0).log2().ceil().int() - _FIRST
        level = level.clamp(0, len(self.starts) - 1)
        last = torch.tensor([[self.width - 1.0], [self.height - 1.0]], device=reach.device)
        zero = torch.zeros_like(last)
        first = (middles - reach).maximum(zero).minimum(last).int() >> level + _FIRST
        final = (middles + reach).maximum(zero).minimum(last).int() >> level + _FIRST
        starts, widths = (each.index_select(0, level) for each in (self.starts, self.widths))
        rows = [starts + row * widths for row in (first[1], final[1])]
        found = [
            self.values.index_select(0, row + column)
            for row in rows
            for column in (first[0], final[0])
        ]
        return torch.stack(found).amax(0)
