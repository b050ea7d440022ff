"""Replies: what a client is told about the server and about a job in its present state."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from maquette_wire import codecs, messages
from maquette_wire.errors import MaquetteError
from maquette_wire.exchange import Exchange
from maquette_wire.messages import Codec, Limits, Message, ModelInfo
from maquette_wire.packing import pack

from .clients import Connection, Letter, Parts
from .desk import Desk
from .journal import Job

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Facts:
    """What a welcome says beside the devices.

    Attributes:
        name: the server and its version, for people.
        limits: what a job may ask for.
        models: looks up the models that can run now.
        exchange: the folder that frames may travel through, on loopback.
    """

    name: str
    limits: Limits
    models: Callable[[], tuple[ModelInfo, ...]]
    exchange: Exchange | None


class Replies:
    """Packs messages for clients."""

    def __init__(self, desk: Desk, facts: Facts) -> None:
        self._desk = desk
        self._facts = facts

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """The codecs that this server has."""
        return (*codecs.available(), "file") if self._facts.exchange else codecs.available()

    def codec_for(self, named: tuple[str, ...]) -> Codec:
        """How results travel to a client that named these codecs in its hello.

        A client names only those that suit the way between it and the server.
        """
        both = {codec for codec in named if codec in self.codecs}
        return "file" if "file" in both else "zstd" if "zstd" in both else "raw"

    def welcome(self, devices: tuple[str, ...], samplers: tuple[str, ...]) -> Letter:
        """What the server can do."""
        exchange = self._facts.exchange
        models = self._models()
        suiting = {name for model in models for name in model.samplers}
        return plain(
            messages.Welcome(
                server=self._facts.name,
                devices=devices,
                models=models,
                samplers=tuple(name for name in samplers if name in suiting),
                limits=self._facts.limits,
                codecs=self.codecs,
                exchange=exchange.offer() if exchange else None,
                understands=("order", "material", "tiles", "finer"),
            )
        )

    def _models(self) -> tuple[ModelInfo, ...]:
        try:
            return self._facts.models()
        except OSError as error:
            log.error("The models can't be listed: %s", error)
            return ()

    def state(self, connection: Connection, job: Job) -> Letter:
        """Where a job is, and its result where it has one."""
        if job.state == "done" and job.bytes:
            return lambda: self._result(connection, job.job)
        return plain(self._short(job))

    def _short(self, job: Job) -> Message:
        if job.state == "failed":
            return messages.Failed(job=job.job, code=job.code, sentence=job.sentence, hint=job.hint)
        if job.state == "cancelled":
            return messages.Cancelled(job=job.job)
        if job.state == "done":
            return messages.Failed(
                job=job.job,
                code="result-dropped",
                sentence="The result was acknowledged, and the server has dropped it since.",
                hint="Run the job again: the same recipe gives the same picture.",
            )
        return messages.Accepted(job=job.job, ahead=self._desk.journal.ahead(job))

    def _result(self, connection: Connection, name: str) -> Parts:
        try:
            message, frames = self._desk.spool.read_result(name, self._facts.limits)
        except MaquetteError as error:
            log.error("%s", error)
            self._desk.lost_result(name, error)
            return failed(name, error)()
        try:
            return pack(message, frames, codec=connection.codec, exchange=self._facts.exchange)
        except MaquetteError as error:
            log.warning("%s The result is sent in the message instead.", error.sentence)
            return pack(message, frames)


def plain(message: Message) -> Letter:
    """A message without frames."""
    parts = pack(message)
    return lambda: parts


def failed(job: str, error: MaquetteError) -> Letter:
    """Why a job, or a request about one, can't be done."""
    return plain(
        messages.Failed(job=job, code=error.code, sentence=error.sentence, hint=error.hint)
    )


def refused(error: MaquetteError) -> Letter:
    """Why a connection can't be used."""
    return plain(messages.Refused(code=error.code, sentence=error.sentence, hint=error.hint))
