"""The loop that every stage of a training runs in: rate, step, average, save, stop, resume.

A step depends on the recipe's seed, its own number and the saved state alone, so a run that was
killed goes on bit-identically on a CPU from the last state it saved.
"""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from maquette_wire.errors import MaquetteError
from torch import Tensor, nn

from .optimizer import Average, make_optimizer
from .recipe import Schedule
from .state import (
    TrainingState,
    load_state,
    module_tensors,
    optimizer_tensors,
    restore_module,
    restore_optimizer,
    save_state,
)

log = logging.getLogger(__name__)


Shard = Callable[[], tuple[Tensor, dict[str, float]]]
"""Computes a part of a step's loss, and figures to log."""


class Stage(Protocol):
    """What the loop needs of a stage."""

    name: str
    schedule: Schedule
    rates: dict[str, float]
    """Learning rates of modules as multiples of the schedule's, where they are not 1."""

    def modules(self) -> dict[str, nn.Module]:
        """The modules that this stage trains (parameters with requires_grad), by name."""
        ...

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        """The losses of one step, as up to `shards` parts that sum to it."""
        ...

    def refresh(self) -> None:
        """Look for new data; called before the first step and after each save."""
        ...

    def data_state(self) -> dict[str, Any]:
        """What data the next steps draw from, as JSON."""
        ...

    def restore_data(self, state: dict[str, Any]) -> None:
        """Draw from the same data as when `data_state` was taken."""
        ...

    def sheet(self, path: Path) -> dict[str, float]:
        """Write a validation sheet; returns figures to log. Modules hold averaged weights."""
        ...


@dataclass(frozen=True)
class Place:
    """Where and how long a run may work.

    shards: threads that each take a part of a batch through the network. On cores that others use
    too, this wastes less than threads inside each operation, which wait for one another a thousand
    times in a step.
    """

    folder: Path
    device: torch.device
    seed: int
    deadline: float = math.inf
    shards: int = 1
    writer: Callable[[str, float, int], None] | None = None


@dataclass(frozen=True)
class Outcome:
    step: int
    finished: bool


def rate_at(schedule: Schedule, step: int) -> float:
    """The learning rate of a step: warm-up, stable, linear decay."""
    rise = min(1.0, (step + 1) / max(1, schedule.warmup))
    left = schedule.steps - step
    fall = min(1.0, left / schedule.decay) if schedule.decay else 1.0
    return rise * (schedule.final_rate + (schedule.rate - schedule.final_rate) * fall)


def run_stage(stage: Stage, place: Place) -> Outcome:
    """Train a stage to its last step, or until the deadline or a signal; the state is saved."""
    run = _Run(stage, place)
    with _stop_signals() as stopped:
        run.resume()
        with run.averaged_at_the_end():
            return run.train(stopped)


class _Run:
    def __init__(self, stage: Stage, place: Place) -> None:
        self.stage, self.place = stage, place
        self.schedule = stage.schedule
        _own_memory(stage.modules())
        self.parameters = [p for module in stage.modules().values() for p in _trained(module)]
        self.optimizers = {
            name: make_optimizer(self.schedule, _trained(module))
            for name, module in stage.modules().items()
        }
        self.average = Average(self.parameters, self.schedule.ema)
        self.pool = ThreadPoolExecutor(place.shards)
        self.step = 0

    def resume(self) -> None:
        state = load_state(self.place.folder)
        if state is None:
            self.stage.refresh()
            return
        try:
            for name, module in self.stage.modules().items():
                restore_module(name, module, state.tensors)
                restore_optimizer(f"optimizer.{name}", self.optimizers[name], state.tensors)
            for index, shadow in enumerate(self.average.shadow):
                shadow.copy_(state.tensors[f"average.{index}"])
        except (RuntimeError, KeyError, ValueError) as error:
            raise MaquetteError(
                "state-mismatch",
                f"The state in {self.place.folder} is of another architecture or optimiser.",
                "Give another --out, or delete that folder to start the stage again.",
            ) from error
        self.stage.restore_data(state.facts["data"])
        self.step = state.step
        log.info("%s goes on from step %d", self.stage.name, self.step)

    def save(self) -> None:
        tensors: dict[str, Tensor] = {}
        for name, module in self.stage.modules().items():
            tensors.update(module_tensors(name, module))
            tensors.update(optimizer_tensors(f"optimizer.{name}", self.optimizers[name]))
        tensors.update({f"average.{i}": s for i, s in enumerate(self.average.shadow)})
        facts = {"data": self.stage.data_state()}
        save_state(self.place.folder, TrainingState(self.step, tensors, facts))

    def train(self, stopped: Callable[[], bool]) -> Outcome:
        began, logged = time.monotonic(), self.step
        while self.step < self.schedule.steps:
            figures = self.one_step()
            if self.step % 20 == 0:
                elapsed = time.monotonic() - began
                figures["steps/s"] = (self.step - logged) / max(elapsed, 1e-9)
                began, logged = time.monotonic(), self.step
                self.report(figures)
            due = self.step % self.schedule.save_every == 0
            stop = stopped() or time.time() >= self.place.deadline
            if due or stop or self.step == self.schedule.steps:
                # Refreshed before it is saved: what is saved is what the next step draws from.
                self.stage.refresh()
                self.save()
            if self.step % self.schedule.sheet_every == 0 or self.step == self.schedule.steps:
                self.sheet()
                began, logged = time.monotonic(), self.step
            if stop and self.step < self.schedule.steps:
                log.info("%s stopped at step %d; run again to go on", self.stage.name, self.step)
                return Outcome(self.step, finished=False)
        return Outcome(self.step, finished=True)

    def one_step(self) -> dict[str, float]:
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rate_at(self.schedule, self.step) * self.stage.rates.get(name, 1.0)
        generator = torch.Generator().manual_seed(self.place.seed * 1_000_003 + self.step)
        value, figures = self.gradients(self.stage.work(self.step, generator, self.place.shards))
        norms = [
            float(nn.utils.clip_grad_norm_(_trained(module), self.schedule.clip))
            for module in self.stage.modules().values()
        ]
        if not math.isfinite(value) or not all(map(math.isfinite, norms)):
            raise MaquetteError(
                "training-diverged",
                f"The loss of {self.stage.name} became {value} at step {self.step + 1}.",
                "Lower the stage's rate and run again; it goes on from the last state saved.",
            )
        for optimizer in self.optimizers.values():
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update(self.step)
        return {"loss": value, "norm": norms[0], **figures}

    def gradients(self, shards: list[Shard]) -> tuple[float, dict[str, float]]:
        """Set the parameters' gradients; returns the loss and the first part's figures."""
        if len(shards) == 1:
            loss, figures = shards[0]()
            loss.backward()
            return float(loss.detach()), figures

        def part(shard: Shard) -> tuple[Tensor, dict[str, float], tuple[Tensor | None, ...]]:
            loss, figures = shard()
            return (
                loss.detach(),
                figures,
                torch.autograd.grad(loss, self.parameters, allow_unused=True),
            )

        done = list(self.pool.map(part, shards))
        # Summed in the order of the parts, so that timing does not decide the rounding.
        for index, parameter in enumerate(self.parameters):
            given = [grad for _, _, grads in done if (grad := grads[index]) is not None]
            # In the parameter's own memory order: a fused optimiser pairs values by their place.
            parameter.grad = None
            if given:
                total = torch.empty_like(parameter).copy_(given[0])
                parameter.grad = sum(given[1:], start=total)
        return sum(float(loss) for loss, _, _ in done), done[0][1]

    def sheet(self) -> None:
        path = self.place.folder / "sheets" / f"{self.stage.name}_{self.step:08d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.average.swap()
        try:
            self.report(self.stage.sheet(path))
        finally:
            self.average.swap()

    def report(self, figures: dict[str, float]) -> None:
        line = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        log.info("%s step %d: %s", self.stage.name, self.step, line)
        if self.place.writer is not None:
            for name, value in figures.items():
                self.place.writer(f"{self.stage.name}/{name}", value, self.step)

    @contextmanager
    def averaged_at_the_end(self) -> Iterator[None]:
        """Leave the averaged weights in the modules, which the next stage and the export use."""
        try:
            yield
        finally:
            self.average.swap()


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [p for p in module.parameters() if p.requires_grad]


@torch.no_grad()
def _own_memory(modules: dict[str, nn.Module]) -> None:
    """Move weights into memory of their own: those loaded from a file lie in the file's mapping,
    and matrix products round differently where memory is aligned differently."""
    for module in modules.values():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.clone()


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """SIGTERM and Ctrl-C ask for a stop after the current step, with the state saved."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {n: signal.signal(n, ask) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
