"""What PyTorch lacks, or is slow at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def which(mask: Tensor) -> Tensor:
    """The numbers, int64 and ascending, at which mask [n] is true."""
    if mask.is_cpu:  # NumPy finds them in a fifth of the time.
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero()[:, 0]


def which_above(values: Tensor, limits: Tensor | float) -> Tensor:
    """The numbers, int64 and ascending, at which values [n] are above limits, [n] or one."""
    if values.is_cpu:  # NumPy compares in a quarter of the time.
        given = limits.numpy() if isinstance(limits, Tensor) else limits
        return torch.from_numpy(np.flatnonzero(values.numpy() > given))
    return which(values > limits)


def which_equal(values: Tensor, number: int) -> Tensor:
    """The numbers, int64 and ascending, at which integers [n] are equal to one."""
    if values.is_cpu:
        return torch.from_numpy(np.flatnonzero(values.numpy() == number))
    return which(values == number)


def order(keys: Tensor) -> Tensor:
    """In which order int32 keys [n] ascend; equal ones stay in theirs."""
    if not keys.is_cpu:
        return keys.argsort(stable=True)
    given = keys.numpy()
    if given.max(initial=0) < 1 << 15:  # NumPy sorts 16 bits in a tenth of the time.
        given = given.astype(np.int16)
    return torch.from_numpy(given.argsort(kind="stable"))


def squares(vectors: Tensor) -> Tensor:
    """Squared lengths [n] of vectors [3, n]."""
    x, y, z = vectors
    return (x * x).addcmul_(y, y).addcmul_(z, z)


def put_at(values: Tensor, rows: Tensor, columns: Tensor) -> None:
    """Set columns [m] of values [c, n], each once, to columns [c, m]."""
    values.scatter_(1, rows.expand_as(columns), columns)


def put(values: Tensor, rows: NDArray[np.integer[Any]], columns: Tensor) -> None:
    """Set rows [m] of values [n, c], on the CPU, each once, to columns [c, m]."""
    put_at(values.T, torch.from_numpy(rows).long(), columns.cpu())


def runs(starts: Tensor, lengths: Tensor) -> Tensor:
    """The numbers from each start on, as many as its length, one run after another."""
    before = lengths.cumsum(0) - lengths
    numbers = torch.repeat_interleave(starts - before, lengths)
    return numbers.add_(torch.arange(len(numbers), device=numbers.device))
