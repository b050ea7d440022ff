"""Live: one small restyle after the other of what a 3D view shows. No bpy here.

There is at most one job at a time, and a capture is made only when its picture can be painted at
once: so the newest view comes next, nothing queues up, no picture is older than the one before,
and the rate is what the device makes it. While nothing changes, nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Accepted, Cancelled, Failed, Message, Progress, Result
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

REST_SECONDS = 0.15
"""A view that hasn't changed for so long is where the user wants it."""
WORTH_SECONDS = 0.5
"""A picture of a view that was left is given up where it would take longer than this."""
LOST_SECONDS = 20.0
"""Live waits so long for a connection that was lost."""
SMOOTH = 0.3


@dataclass(frozen=True)
class Wish:
    """What a picture is made of. ``state`` stands for the model and how it is shown."""

    recipe: Recipe
    view: View
    state: tuple[object, ...] = ()


@dataclass(frozen=True)
class Painted:
    """A picture that Live shows, and what it was made of.

    pixels: uint8 sRGB [height, width, 3], flat, as it came.
    """

    wish: Wish
    capture: Capture
    shape: tuple[int, ...]
    pixels: memoryview


class Eye(Protocol):
    """The 3D view that Live looks at and draws over."""

    def wish(self) -> Wish | None:
        """What a picture would be made of now; None while there is nothing to look at. Raises
        MaquetteError where the settings give none, which the user may correct."""
        ...

    def capture(self, wish: Wish) -> Capture:
        """What is seen now of the wish's View. Raises MaquetteError."""
        ...

    def show(self, painted: Painted | None, text: str) -> None: ...

    def close(self) -> None:
        """Look no more, and take away what is shown."""
        ...


class Painter(Protocol):
    """Who paints: a client of a server."""

    @property
    def connected(self) -> bool: ...

    def submit(self, recipe: Recipe, captures: Sequence[Capture]) -> str: ...

    def cancel(self, job: str) -> None: ...

    def acknowledge(self, job: str) -> None: ...


@dataclass
class Flight:
    """The picture that is being painted."""

    job: str
    wish: Wish
    capture: Capture
    since: float
    started: bool = False
    cancelled: bool = False


class Live:
    """What Live does at the moment.

    Attributes:
        eye: None while Live is off.
        text: its state, for the user.
        error: why it ended by itself, until it is on again.
        shown: the picture over the 3D view.
        captures: how many were made since it is on.
    """

    def __init__(self) -> None:
        self.eye: Eye | None = None
        self.text = ""
        self.error: MaquetteError | None = None
        self.shown: Painted | None = None
        self.captures = 0
        self._painter: Painter | None = None
        self._flight: Flight | None = None
        self._left: set[str] = set()
        self._asked: Wish | None = None
        self._noticed: Wish | None = None
        self._changed = self._heard = 0.0
        self._met = self._troubled = False
        self._pace = 0.0

    @property
    def on(self) -> bool:
        return self.eye is not None

    @property
    def busy(self) -> bool:
        """Whether an answer is to come soon."""
        return self._flight is not None

    def begin(self, eye: Eye, painter: Painter, now: float) -> None:
        """Follow what this eye sees."""
        self.end()
        self.eye, self._painter, self.error = eye, painter, None
        self.captures, self._pace = 0, 0.0
        self._met = self._troubled = False
        self._asked = self._noticed = None
        self._heard = now
        self._say("Waiting for the server")

    def end(self, error: MaquetteError | None = None) -> None:
        """Follow no more; what is being painted is given up."""
        if self._flight is not None and self._painter is not None:
            self._left.add(self._flight.job)
            if not self._flight.cancelled:
                self._painter.cancel(self._flight.job)
        if self.eye is not None:
            self.eye.close()
            self.error = error
        self.eye = self._flight = self.shown = None
        self.text = ""

    def noticed(self) -> bool:
        """Look at what there is to be seen; whether that is new, and a step is due."""
        if self.eye is None or self._flight is not None:
            return False
        try:
            return self.eye.wish() not in (None, self._asked) or self._troubled
        except MaquetteError as error:
            return str(error) != self.text

    def step(self, now: float, trouble: MaquetteError | None = None) -> None:
        """Ask for the next picture where that is due. ``trouble``: why there is no server."""
        if self.eye is None or self._painter is None:
            return
        if not self._painter.connected:
            self._wait(now, trouble)
            return
        self._met, self._heard = True, now
        try:
            wish = self.eye.wish()
        except MaquetteError as error:
            self._troubled = True
            self._say(str(error))
            return
        self._troubled = False
        if wish is None:
            return
        if wish != self._noticed:
            self._noticed, self._changed = wish, now
        if self._flight is not None:
            if self._is_left(self._flight, wish, now):
                self._flight.cancelled = True
                self._painter.cancel(self._flight.job)
        elif wish != self._asked:
            self._ask(wish, now)
        else:
            self._say(self._rate())

    def take(self, message: Message, frames: Sequence[memoryview], now: float) -> bool:
        """Take a message of the server up; false where it is about a job of somebody else."""
        job = getattr(message, "job", "")
        if job in self._left:
            self._leave(message)
            return True
        flight = self._flight
        if flight is None or job != flight.job:
            return False
        if isinstance(message, Progress):
            flight.started |= message.stage != "queued"
        elif isinstance(message, Result):
            self._land(flight, message, frames, now)
        elif isinstance(message, Cancelled):
            self._flight = None
        elif isinstance(message, Failed):
            self._flight = None
            assert self._painter is not None
            self._painter.acknowledge(job)
            self.end(MaquetteError(message.code, message.sentence, message.hint))
        else:
            assert isinstance(message, Accepted)
        return True

    # --- inside -------------------------------------------------------------------------------

    def _ask(self, wish: Wish, now: float) -> None:
        assert self.eye is not None and self._painter is not None
        try:
            capture = self.eye.capture(wish)
            self.captures += 1
            job = self._painter.submit(wish.recipe, [capture])
        except MaquetteError as error:
            self.end(error)
            return
        self._asked = wish
        self._flight = Flight(job, wish, capture, now)
        self._say(self._rate())

    def _land(
        self, flight: Flight, result: Result, frames: Sequence[memoryview], now: float
    ) -> None:
        assert self.eye is not None and self._painter is not None
        self._flight = None
        self._painter.acknowledge(flight.job)
        spent = now - flight.since
        self._pace += (spent - self._pace) * (SMOOTH if self._pace else 1)
        self.text = self._rate()
        for header, frame in zip(result.frames, frames, strict=True):
            if header.name == "concept" and header.index == 0:
                self.shown = Painted(flight.wish, flight.capture, header.shape, frame)
                self.eye.show(self.shown, self.text)

    def _rate(self) -> str:
        if not self._pace:
            return "Painting"
        if self._pace < 1:
            return f"{1 / self._pace:.1f} pictures a second"
        return f"A picture in {self._pace:.0f} s"

    def _leave(self, message: Message) -> None:
        if isinstance(message, Result | Failed | Cancelled):
            self._left.discard(message.job)
            if not isinstance(message, Cancelled) and self._painter is not None:
                self._painter.acknowledge(message.job)

    def _is_left(self, flight: Flight, wish: Wish, now: float) -> bool:
        """Whether the picture in work is not worth waiting for."""
        if flight.cancelled or flight.wish == wish:
            return False
        if now - self._changed < REST_SECONDS:
            return False
        spent = now - flight.since
        # One that waits behind other jobs makes room for the newest.
        return self._pace - spent > WORTH_SECONDS if flight.started else spent > self._pace

    def _wait(self, now: float, trouble: MaquetteError | None) -> None:
        if trouble is not None:
            self.end(trouble)
        elif self._met and now - self._heard > LOST_SECONDS:
            self.end(
                MaquetteError(
                    "server-lost",
                    f"Live has ended, as there was no connection for {LOST_SECONDS:.0f} seconds.",
                    "Switch it on again when the server is back.",
                )
            )
        else:
            self._say("Waiting for the server")

    def _say(self, text: str) -> None:
        if self.eye is not None and text != self.text:
            self.text = text
            self.eye.show(self.shown, text)
