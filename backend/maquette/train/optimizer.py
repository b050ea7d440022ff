"""Optimisers of the trainer: AdamW, and Muon for the weights that are matrices.

Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024): the momentum
of a weight matrix is replaced by the nearest orthogonal matrix, found by a Newton-Schulz iteration,
so that all its directions learn at one speed. A convolution counts as the matrix [out, in·h·w].
Torch's own Muon takes two-dimensional weights only, and most of a UNet's are convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from .recipe import Schedule

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration, from the same source: steepest at zero."""


def orthogonalize(matrix: Tensor, iterations: int = 5) -> Tensor:
    """[m, n] → about U·Vᵀ of its singular value decomposition (singular values 0.7 to 1.2)."""
    a, b, c = _COEFFICIENTS
    x = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


class Muon(torch.optim.Optimizer):
    """Muon for weights of two and more dimensions, AdamW for the rest, under one learning rate.

    An update has the root mean square of an AdamW step (Liu et al., "Muon is Scalable for LLM
    Training", 2025), so that rates and weight decay mean the same for both.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        every = list(parameters)
        matrices = [p for p in every if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= 16]
        chosen = {id(p) for p in matrices}
        groups: list[dict[str, Any]] = [
            {"params": matrices, "orthogonal": True},
            {"params": [p for p in every if id(p) not in chosen], "orthogonal": False},
        ]
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": 0.95, "betas": (0.9, 0.99)}
        super().__init__([g for g in groups if g["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                update = self._orthogonal if group["orthogonal"] else self._adam
                parameter.add_(update(parameter, group), alpha=-group["lr"])
        return loss

    def _orthogonal(self, parameter: nn.Parameter, group: dict[str, Any]) -> Tensor:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(gradient)
        momentum = state["momentum"].lerp_(gradient, 1.0 - group["momentum"])
        direction = gradient.lerp(momentum, group["momentum"]).flatten(1)
        scale = 0.2 * max(direction.shape) ** 0.5
        return (orthogonalize(direction) * scale).reshape(parameter.shape)

    def _adam(self, parameter: nn.Parameter, group: dict[str, Any]) -> Tensor:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "step" not in state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state["step"] += 1
        count = float(state["step"])
        first, second = group["betas"]
        mean = state["mean"].lerp_(gradient, 1.0 - first) / (1.0 - first**count)
        square = state["square"].lerp_(gradient.square(), 1.0 - second) / (1.0 - second**count)
        return mean / (square.sqrt() + 1e-8)


def make_optimizer(schedule: Schedule, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    if schedule.optimizer == "muon":
        return Muon(parameters, schedule.rate, schedule.weight_decay)
    return torch.optim.AdamW(
        parameters,
        schedule.rate,
        betas=(schedule.momentum, 0.99),
        weight_decay=schedule.weight_decay,
        fused=True,
    )


class Average:
    """An exponential moving average of parameters, young while the training is young."""

    def __init__(self, parameters: list[nn.Parameter], decay: float) -> None:
        self.parameters = parameters
        self.decay = decay
        self.shadow = [p.detach().clone() for p in parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for average, parameter in zip(self.shadow, self.parameters, strict=True):
            average.lerp_(parameter.detach(), 1.0 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the averaged and the trained weights; a second call puts them back."""
        for parameter, average in zip(self.parameters, self.shadow, strict=True):
            held = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(held)
