"""What PyTorch lacks, or is slow at."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def which(mask: Tensor) -> Tensor:
    """The numbers, int64 and ascending, at which mask [n] is true."""
    if mask.is_cpu:  # NumPy finds them in a fifth of the time.
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero()[:, 0]


def runs(starts: Tensor, lengths: Tensor) -> Tensor:
    """The numbers from each start on, as many as its length, one run after another."""
    before = lengths.cumsum(0) - lengths
    numbers = torch.repeat_interleave(starts - before, lengths)
    return numbers.add_(torch.arange(len(numbers), device=numbers.device))
