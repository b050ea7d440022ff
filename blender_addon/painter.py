"""One job, waited for: what a render has a server paint. No bpy here.

A render has a thread of its own and has to stay in it until its picture is there. It therefore
talks to the server through a client of its own, beside the session's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from maquette_wire import keys
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Connected, Event, Received
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Cancelled, Failed, Progress, Result
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from .backend import Backend, Choice, Status
from .jobs import Job, State, Target

POLL_SECONDS = 0.05
WATCH_SECONDS = 0.25
OUTAGE_SECONDS = 60.0
"""So long a render waits for a server that doesn't answer: nobody may be there to end it."""
CANCEL_SECONDS = 10.0
"""So long a server has to end a job that the user doesn't want any more."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Order:
    """What is to be painted.

    Attributes:
        recipe: for one picture.
        captures: the last one is to be painted.
        given: finished pictures of others, by their place, which show the same scene.
    """

    recipe: Recipe
    captures: Sequence[Capture]
    given: Mapping[int, Picture]


@dataclass(frozen=True)
class Painted:
    """A finished picture, uint8 sRGB [height, width, 3], the recipe with all defaults filled in,
    and sentences for the user."""

    picture: Picture
    recipe: Recipe
    warnings: tuple[str, ...]


class Watcher(Protocol):
    """Who waits for a picture."""

    def stopped(self) -> bool:
        """Whether the user doesn't want it any more."""
        ...

    def follow(self, text: str, share: float) -> None:
        """Where the picture is, in words and from 0 to 1."""
        ...

    def preview(self, picture: Picture) -> None:
        """What it looks like so far, uint8 [h, w, 3], small."""
        ...


def paint(home: Home, choice: Choice, name: str, order: Order, watcher: Watcher) -> Painted | None:
    """Have a picture painted; None where the watcher stopped it.

    name: of this client, for the server's log.

    Raises MaquetteError as the server or the way there says.
    """
    client = Client(keys.client_keys(home), name)
    try:
        backend = Backend(home, client)
        backend.want(choice)
        return _Wait(client, backend, order, watcher).until_done()
    finally:
        client.close()


class _Wait:
    """The wait for one job."""

    def __init__(self, client: Client, backend: Backend, order: Order, watcher: Watcher) -> None:
        self._client, self._backend, self._watcher = client, backend, watcher
        self._picture = len(order.captures) - 1
        name = client.submit(
            order.recipe,
            order.captures,
            previews=True,
            given=order.given,
            together=bool(order.given),
        )
        views = tuple(capture.view for capture in order.captures)
        self._job = Job(name, order.recipe, views, Target("", "", 0, ""))
        self._watched = 0.0
        self._heard = time.monotonic()
        self._cancelled_at: float | None = None

    def until_done(self) -> Painted | None:
        while True:
            self._watch()
            for event in self._client.poll(POLL_SECONDS):
                if isinstance(event, Received):
                    if isinstance(event.message, Result):
                        self._client.acknowledge(self._job.name)
                        stopped = self._cancelled_at is not None
                        return None if stopped else self._painted(event)
                    if isinstance(event.message, Cancelled):
                        return None
                    self._take(event)
                else:
                    self._take_connection(event)
            if self._stopped():
                return None
            self._watcher.follow(self._text(), self._job.fraction)

    def _take(self, event: Received) -> None:
        message = event.message
        self._heard = time.monotonic()
        self._job.take(message, self._heard)
        if isinstance(message, Failed):
            self._client.acknowledge(self._job.name)
            assert self._job.error is not None
            raise self._job.error
        if isinstance(message, Progress):
            for header, frame in zip(message.frames, event.frames, strict=True):
                if header.index == self._picture:
                    self._watcher.preview(np.asarray(frame).reshape(header.shape))

    def _take_connection(self, event: Event) -> None:
        self._backend.take(event)
        self._heard = time.monotonic()
        self._watched = 0.0  # an ended local server is started again at once
        if not isinstance(event, Connected):
            self._job.interrupt()

    def _watch(self) -> None:
        """Look after the connection. Raises MaquetteError where waiting is of no use."""
        now = time.monotonic()
        if now - self._watched > WATCH_SECONDS:
            self._watched = now
            self._backend.watch()
        if self._backend.status is Status.TROUBLE:
            assert self._backend.error is not None
            raise self._backend.error
        if self._client.connected or self._backend.status is Status.STARTING:
            self._heard = now
        elif now - self._heard > OUTAGE_SECONDS:
            raise self._backend.error or MaquetteError(
                "server-lost",
                f"The server at {self._client.endpoint} doesn't answer.",
                "Check its address in the add-on's preferences, and that it runs.",
            )

    def _stopped(self) -> bool:
        """Cancel the job where the watcher wants it so; true where there is nobody to wait for."""
        now = time.monotonic()
        if self._cancelled_at is None:
            if not self._watcher.stopped():
                return False
            self._cancelled_at = now
            self._job.state = State.CANCELLING
            self._client.cancel(self._job.name)
        return not self._client.connected or now - self._cancelled_at > CANCEL_SECONDS

    def _text(self) -> str:
        if self._backend.status is Status.STARTING:
            return "Starting the server"
        if not self._client.connected and self._backend.error is not None:
            return f"{self._backend.error.sentence} Trying again"
        return self._job.describe()

    def _painted(self, event: Received) -> Painted:
        result = event.message
        assert isinstance(result, Result)
        for header, frame in zip(result.frames, event.frames, strict=True):
            if header.name == "concept" and result.pictures[header.index].view == self._picture:
                picture = np.array(frame).reshape(header.shape)
                return Painted(picture, result.recipe, result.warnings)
        raise MaquetteError("bad-message", "The server's result lacks the picture.")
