"""One exposure for all views: colour factors from what two of them both see."""

from __future__ import annotations

import torch
from torch import Tensor

_STAY = 0.05
"""How much views are held to their own colours, against a pair that shares every sample."""
_DARK = 0.02
"""Linear values below this say nothing of a factor."""


def color_factors(colors: Tensor, seen: Tensor) -> Tensor:
    """[views, 3] factors for linear colours [views, n, 3] of n points, where `seen` [views, n].

    Least squares over all pairs of views on the mean logarithm of what both see (Brown and Lowe,
    "Automatic Panoramic Image Stitching using Invariant Features", IJCV 2007, section 6), with a
    little weight on leaving a view as it is; views that share nothing with others stay so.
    """
    count = len(colors)
    logs = colors.clamp(min=_DARK).log().double()
    shared = torch.zeros(count, count, dtype=torch.float64, device=colors.device)
    apart = torch.zeros(count, count, 3, dtype=torch.float64, device=colors.device)
    for i in range(count):
        for j in range(i + 1, count):
            both = seen[i] & seen[j] & (colors[i] > _DARK).all(1) & (colors[j] > _DARK).all(1)
            amount = both.sum()
            if amount:
                shared[i, j] = shared[j, i] = amount
                apart[i, j] = (logs[j] - logs[i])[both].mean(0)
                apart[j, i] = -apart[i, j]
    weight = shared / shared.max().clamp(min=1.0)
    # Gradient of sum w_ij (g_i - g_j - apart_ij)² + stay g_i², set to zero.
    system = torch.diag(weight.sum(1) + _STAY) - weight
    wanted = (weight[:, :, None] * apart).sum(1)
    return torch.linalg.solve(system, wanted).exp().float()
