"""Service: one server of one home, put together, started and ended."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import zmq
from maquette_wire import keys
from maquette_wire.errors import MaquetteError
from maquette_wire.exchange import Exchange
from maquette_wire.home import Home
from maquette_wire.local import ServerLock, ServerRecord
from maquette_wire.messages import PROTOCOL, Limits, ModelInfo
from maquette_wire.recipe import Recipe

from .. import __version__
from ..catalogue import Catalogue
from .access import CLIENTS, WORKERS, Gate, Keys, is_loopback, split_endpoint
from .clients import Clients
from .desk import Desk
from .journal import Journal
from .loop import Loop
from .pool import Pool
from .replies import Facts
from .spool import Spool, file_error

log = logging.getLogger(__name__)

DEFAULT_ENDPOINT = "tcp://127.0.0.1:47820"
DISK_BUDGET = 4 * 2**30
WORKER_COMMAND = (sys.executable, "-m", "maquette.server.worker")


class Models(Protocol):
    """What a server asks about models, see :class:`maquette.catalogue.Catalogue`."""

    def infos(self) -> tuple[ModelInfo, ...]: ...

    def check(self, recipe: Recipe) -> None: ...


@dataclass(frozen=True)
class Settings:
    """How a server is to be.

    Attributes:
        endpoint: where it listens; port ``*`` takes any that is free.
        device: ``auto``, ``cpu``, ``cuda:0``, ``mps``.
        home: whose server it is.
        authorised: a list of authorised clients in place of the home's own.
        models: folders of further models.
        disk_budget: bytes that captures and results may take.
        limits: what a job may ask for.
    """

    endpoint: str = DEFAULT_ENDPOINT
    device: str = "auto"
    home: Home = field(default_factory=Home.default)
    authorised: Path | None = None
    models: tuple[Path, ...] = ()
    disk_budget: int = DISK_BUDGET
    limits: Limits = field(default_factory=Limits)


class CatalogueModels:
    """The models of this installation and user."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def infos(self) -> tuple[ModelInfo, ...]:
        """The models that can run now."""
        return self._catalogue.infos()

    def check(self, recipe: Recipe) -> None:
        """Raise MaquetteError where a recipe names a model or a LoRA that isn't here."""
        entry = self._catalogue.present(recipe.model)
        for lora in recipe.loras:
            self._catalogue.lora(lora.name, entry)


class Server:
    """A server; :meth:`run` serves until the process is told to end.

    Args:
        settings: how it is to be.
        worker_command: what starts a sampling process, which then calls :func:`.worker.work`.
        models: what it says about models; the catalogue where None.
    """

    def __init__(
        self,
        settings: Settings,
        worker_command: Sequence[str] = WORKER_COMMAND,
        models: Models | None = None,
    ) -> None:
        self._settings = settings
        self._worker_command = worker_command
        catalogue = Catalogue(settings.home, settings.models)
        self._models = models or CatalogueModels(catalogue)

    def run(self, ready: Callable[[str, tuple[str, ...]], None] | None = None) -> None:
        """Serve until SIGTERM, SIGINT or, on Windows, Ctrl+Break.

        Args:
            ready: called with the endpoint and the devices once jobs can run, and again whenever
                another device has become ready.

        Raises MaquetteError where the server can't start, saying what to change.
        """
        settings = self._settings
        host, port = split_endpoint(settings.endpoint)
        allowed = _allowed_clients(settings, is_loopback(host))
        pair = keys.server_keys(settings.home)
        with ExitStack() as stack:
            lock = stack.enter_context(ServerLock(settings.home))
            # A killed server's record, which would be believed now that the lock is held again.
            settings.home.record.unlink(missing_ok=True)
            journal = Journal(settings.home.make(settings.home.server) / "journal.sqlite")
            stack.callback(journal.close)
            spool = Spool(settings.home.make(settings.home.spool))
            desk = Desk(journal, spool, settings.limits, settings.disk_budget, self._models.check)
            desk.recover()
            context = zmq.Context()
            stack.callback(context.term)
            clients = Clients(context, pair, settings.limits.job_bytes)
            stack.callback(clients.close)
            endpoint = _bind(clients, host, port)
            exchange = None
            if is_loopback(host):
                exchange = Exchange.create(settings.home.make(settings.home.exchange))
                stack.callback(exchange.close)
            pool = Pool(
                context,
                self._worker_command,
                settings.device,
                home=str(settings.home.root),
                models=tuple(str(path.absolute()) for path in settings.models),
            )
            stack.callback(pool.close)
            gate = Gate(context, {CLIENTS: allowed, WORKERS: pool.keys})
            stack.callback(gate.close)
            facts = Facts(
                name=f"maquette {__version__}",
                limits=settings.limits,
                models=self._models.infos,
                exchange=exchange,
            )

            def announce(devices: tuple[str, ...]) -> None:
                # Once: when a worker is replaced on a full disk, the record is there already.
                if not settings.home.record.exists():
                    try:
                        lock.announce(_record(endpoint, pair.public))
                    except OSError as error:
                        raise file_error(error) from error
                if ready is not None:
                    ready(endpoint, devices)

            loop = Loop(clients, pool, gate, desk, facts, announce)
            stack.enter_context(_ended_by_signals(loop.stop))
            log.info("Listening on %s; the sampling process is starting.", endpoint)
            loop.run()
            log.info("Ending; jobs that aren't done go on when a server starts again.")


def _allowed_clients(settings: Settings, loopback: bool) -> Keys:
    """The function that says which keys may connect at the moment."""
    path = settings.authorised or keys.client_list(settings.home)

    def read() -> frozenset[str]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise MaquetteError(
                "bad-client-list",
                f"The list of authorised clients {path} can't be read ({error.strerror}).",
                "Make it readable, or name another one with --authorised-clients.",
            ) from error
        return keys.parse_client_list(text, path)

    own = frozenset({keys.client_keys(settings.home).public}) if loopback else frozenset()
    listed = read()
    if not loopback and not listed:
        raise MaquetteError(
            "no-authorised-clients",
            f"Other machines could reach {settings.endpoint}, and no client is authorised.",
            f"Add each client's public key (its keys/client.pub) as a line to {path}, or listen"
            f" on {DEFAULT_ENDPOINT}.",
        )
    last = [listed]

    def allowed() -> frozenset[str]:
        try:
            last[0] = read()
        except MaquetteError as error:
            log.error("%s The list as it was before goes on being used.", error)
        return last[0] | own

    return allowed


def _bind(clients: Clients, host: str, port: str) -> str:
    address = f"[{host}]" if ":" in host else "127.0.0.1" if host == "localhost" else host
    try:
        return clients.bind(f"tcp://{address}:{port}")
    except zmq.ZMQError as error:
        if error.errno in (errno.EADDRINUSE, zmq.EADDRINUSE):
            other = int(port) + 1 if int(port) < 65535 else 47820
            raise MaquetteError(
                "port-in-use",
                f"Another program uses port {port} of {host}.",
                f"End it, or choose another port, as in --endpoint tcp://{address}:{other}.",
            ) from error
        raise MaquetteError(
            "bad-endpoint",
            f"The server can't listen on {host}, port {port} ({error.strerror}).",
            "Give an address of this machine, as in --endpoint tcp://127.0.0.1:47820.",
        ) from error


def _record(endpoint: str, public_key: str) -> ServerRecord:
    host, port = split_endpoint(endpoint)
    # A server on all addresses is reached from here by the loopback one.
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)
    return ServerRecord(
        endpoint=f"tcp://{here}:{port}" if here else endpoint,
        public_key=public_key,
        pid=os.getpid(),
        version=__version__,
        protocol=PROTOCOL,
    )


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the signals that ask a process to end call ``stop``."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may; whoever runs a server in another ends it otherwise
        return
    wanted = [signal.SIGTERM, signal.SIGINT]
    if sys.platform == "win32":
        wanted.append(signal.SIGBREAK)
    before = {number: signal.signal(number, lambda *_: stop()) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
