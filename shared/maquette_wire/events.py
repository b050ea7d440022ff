"""What a client's ``poll`` tells: the connection's state, and the server's messages about jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import MaquetteError
from .messages import Accepted, Cancelled, Failed, Progress, Result, Welcome

JobMessage = Accepted | Progress | Result | Failed | Cancelled


@dataclass(frozen=True)
class Connected:
    """The server can be used; comes again when what it can do has changed."""

    welcome: Welcome


@dataclass(frozen=True)
class Disconnected:
    """There is no connection (any more); the client goes on trying, and open jobs stay open."""

    error: MaquetteError


@dataclass(frozen=True)
class Rejected:
    """There is a server, and it or its answers can't be used before somebody changes something
    (keys, versions, address). The client tries again every few seconds."""

    error: MaquetteError


@dataclass(frozen=True)
class Received:
    """A message of the server about a job, with its frames in the order of ``message.frames``."""

    message: JobMessage
    frames: list[memoryview] = field(default_factory=list, repr=False)


Event = Connected | Disconnected | Rejected | Received
