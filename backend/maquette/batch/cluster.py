"""A batch's jobs on a Ray cluster: what `jobs.Painter` does through a server, by actors.

One actor for each graphics card of the cluster, and one for each node that has none where no node
has any. Ray starts actors, carries captures and pictures, and starts an actor again that has died;
jobs that were with it are given to others. An actor has one more job than it paints, so that it
goes on while pictures travel. Every node needs this package with the extra `ray`, and the models.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.events import Received
from maquette_wire.messages import Failed, Result
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
KNOCK_SECONDS = 5.0
TRIALS = 3
"""How often a job is painted by an actor: one that ends each of them is at fault itself."""
AHEAD = 2
"""Jobs that an actor has: one that it paints, and the next."""

Sent = tuple[View, Any, Any]
"""A capture as it travels: its View, and colour and depth as arrays."""


class Actor:
    """What runs on a node: a Sampler, with the model that it painted with last."""

    def __init__(self) -> None:
        from ..sampling import Sampler

        self._sampler = Sampler("auto")

    def ready(self) -> None:
        """Returns once the actor runs."""

    def paint(
        self, job: str, recipe: Recipe, sent: Sequence[Sent]
    ) -> tuple[Result | Failed, list[Any]]:
        """One job; its pictures as uint8 [height, width, 3]."""
        from ..server.results import result_of

        captures = [Capture(view, color, depth) for view, color, depth in sent]
        try:
            return result_of(job, self._sampler.run(recipe, captures))
        except MaquetteError as error:
            return Failed(job=job, code=error.code, sentence=error.sentence, hint=error.hint), []
        except Exception as error:
            # A fault in one job must cost neither the next one nor the model in memory.
            log.exception("Job %s failed.", job)
            return Failed(
                job=job,
                code="internal-error",
                sentence=f"Sampling failed with {type(error).__name__}: {error}.",
                hint="Please report it with the cluster's log.",
            ), []


class Cluster:
    """Paints on a Ray cluster. A context manager.

    Args:
        address: of the cluster as `ray.init` takes it: "auto", "ray://HOST:10001", "local".

    Raises MaquetteError("no-ray", "no-cluster").
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise MaquetteError(
                "no-ray", "Ray is not installed.", 'Run: pip install "maquette[ray]"'
            ) from error
        self._ray: Any = ray  # whose types don't know its decorators
        self._address = address
        self._actors: list[Any] = []  # that are ready
        self._starting: dict[Any, Any] = {}  # future of ready() -> actor
        self._running: dict[Any, tuple[Any, str]] = {}  # future of paint() -> actor, job; in order
        self._waiting: list[str] = []
        self._jobs: dict[str, tuple[Recipe, list[Sent], int]] = {}

    def __enter__(self) -> Cluster:
        try:
            _knock(self._address)
            self._ray.init(self._address, log_to_driver=False, logging_level="error")
        except (OSError, ValueError, RuntimeError) as error:
            raise MaquetteError(
                "no-cluster",
                f"There is no Ray cluster at {self._address!r}: {error}.",
                "Start one with `ray start --head`, or correct the address.",
            ) from error
        remote = self._ray.remote(Actor)
        for share in _shares(self._ray.nodes()):
            actor = remote.options(max_restarts=-1, max_task_retries=0, **share).remote()
            self._starting[actor.ready.remote()] = actor
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    @property
    def devices(self) -> int:
        """How many actors paint or are about to."""
        return max(1, len(self._actors))

    def submit(self, recipe: Recipe, captures: Sequence[Capture], *, job: str) -> str:
        """Queue a job, whose end :meth:`events` tells."""
        sent = [(c.view, np.asarray(c.color), np.asarray(c.depth)) for c in captures]
        self._jobs[job] = recipe, sent, 0
        self._waiting.append(job)
        return job

    def events(self) -> list[Received]:
        """What has ended, after a tenth of a second at most."""
        self._assign()
        # Where an actor dies all its jobs end at once, and what it died of is the first that has no
        # result; so each actor's are heard in their order.
        painted = [self._jobs_of(actor)[:1] for actor in self._actors]
        pending = [*chain(*painted), *self._starting]
        if not pending:
            time.sleep(POLL_SECONDS)
            return []
        ended, _ = self._ray.wait(pending, num_returns=1, timeout=POLL_SECONDS)
        heard = []
        for future in ended:
            if future in self._starting:
                self._started(future)
                continue
            message, frames = self._answer(future)
            if message is not None:
                self._jobs.pop(message.job, None)
                heard.append(Received(message, [memoryview(frame).cast("B") for frame in frames]))
        self._assign()
        return heard

    def cancel(self, *jobs: str) -> None:
        """Give jobs up; what is painted at the moment ends with this program."""
        for job in jobs:
            self._jobs.pop(job, None)
        self._waiting = [job for job in self._waiting if job in self._jobs]

    def stored(self, job: str) -> None:
        """A cluster keeps nothing."""

    def abandon(self, jobs: Sequence[str]) -> None:
        """A cluster keeps nothing."""

    def _assign(self) -> None:
        """Give jobs to the actors that have least of them."""
        while self._actors and self._waiting:
            actor = min(self._actors, key=lambda each: len(self._jobs_of(each)))
            if len(self._jobs_of(actor)) >= AHEAD:
                break
            job = self._waiting.pop(0)
            recipe, sent, _trials = self._jobs[job]
            self._running[actor.paint.remote(job, recipe, sent)] = actor, job

    def _jobs_of(self, actor: Any) -> list[Any]:
        """The futures of what an actor has, the one that it paints first."""
        return [future for future, (with_it, _job) in self._running.items() if with_it is actor]

    def _started(self, future: Any) -> None:
        actor = self._starting.pop(future)
        try:
            self._ray.get(future)
        except self._ray.exceptions.ActorUnavailableError:
            self._starting[actor.ready.remote()] = actor  # it is being started again
        except self._ray.exceptions.RayError as error:
            if not (self._starting or self._actors):
                raise MaquetteError(
                    "no-cluster",
                    f"No actor runs on the cluster at {self._address!r}: {error}",
                    "Install this package and the models on its nodes.",
                ) from error
        else:
            self._actors.append(actor)

    def _answer(self, future: Any) -> tuple[Result | Failed | None, list[Any]]:
        """What became of an actor's first job; None where it is to be painted again."""
        try:
            answer = self._ray.get(future)
        except self._ray.exceptions.RayTaskError as error:  # before it painted; the actor goes on
            return Failed(
                job=self._running.pop(future)[1],
                code="internal-error",
                sentence=f"An actor could not take the job: {error.cause}.",
                hint="Install the same version of this package on every node.",
            ), []
        except self._ray.exceptions.RayError as error:
            return self._lost(future, error), []
        del self._running[future]
        return answer

    def _lost(self, future: Any, error: Exception) -> Failed | None:
        """Have others do what was with an actor that died, and what it died of a few times; then
        that has failed."""
        actor = self._running[future][0]
        self._actors.remove(actor)
        self._starting[actor.ready.remote()] = actor
        job, *later = [self._running.pop(each)[1] for each in self._jobs_of(actor)]
        self._waiting[:0] = [each for each in later if each in self._jobs]
        if job not in self._jobs:  # given up
            return None
        recipe, sent, trials = self._jobs[job]
        if trials + 1 < TRIALS:
            self._jobs[job] = recipe, sent, trials + 1
            self._waiting.insert(0, job)
            return None
        return Failed(
            job=job,
            code="worker-died",
            sentence=f"The job ended {TRIALS} actors: {type(error).__name__}.",
            hint="Use a smaller size; the cluster's log says more.",
        )


def _knock(address: str) -> None:
    """Raise OSError where nothing listens at HOST:PORT: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()


def _shares(nodes: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """What each actor takes of the cluster: a graphics card, or all of a node that has none."""
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    cards = sum(int(node.get("GPU", 0)) for node in alive)
    if cards:
        return [{"num_gpus": 1.0, "num_cpus": 1.0}] * cards
    return [{"num_cpus": max(float(node.get("CPU", 1)), 1.0)} for node in alive]
