"""Jobs from the command line, through a server: the running local one, or one for the duration.

The server is never bypassed: what Blender gets and what a shell gets come the same way.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maquette_wire import local
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Connected, Disconnected, Received, Rejected
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.keys import client_keys
from maquette_wire.material import Material
from maquette_wire.messages import Accepted, Cancelled, Failed, Progress, Result
from maquette_wire.recipe import Recipe
from maquette_wire.surface import Surface

LOCAL_COMMAND = (sys.executable, "-m", "maquette", "serve", "--endpoint", "tcp://127.0.0.1:*")
POLL_SECONDS = 0.1
CONNECT_SECONDS = 20.0
REFUSED_SECONDS = 3.0
"""A server that is starting may refuse for a moment."""
STOP_SECONDS = 15.0
MAX_STARTS = 3
CANCEL_SECONDS = 10.0

OnProgress = Callable[[str, int, int], None]
"""Called with the stage, the step and the number of steps."""


@dataclass(frozen=True)
class Server:
    """Where a server is, and its public key."""

    endpoint: str
    public_key: str


class LocalServer:
    """The running local server of ``home``; where none runs, one until the block is left.

    A context manager.
    """

    def __init__(self, home: Home, on_progress: OnProgress) -> None:
        self._home = home
        self._on_progress = on_progress
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            _stop(self._process)

    def begin(self) -> None:
        """Start the server where none runs or is being started, without waiting for it."""
        if local.running(self._home) is None and not local.starting(self._home):
            self._start()

    def address(self) -> Server:
        """Where the server is now; one that ended is started again, and goes on with its jobs.

        Raises MaquetteError where it can't be started, with the last line of its log.
        """
        end = time.monotonic() + local.START_SECONDS
        while time.monotonic() < end:
            record = local.running(self._home)
            if record is not None:
                return Server(record.endpoint, record.public_key)
            if local.starting(self._home):
                if self._process is not None and self._process.poll() is not None:
                    self._process = None  # another program's server was first: wait for that one
            elif self._process is None or self._process.poll() is not None:
                self._start()
            time.sleep(POLL_SECONDS)
        raise MaquetteError(
            "server-slow",
            f"The local server isn't ready after {local.START_SECONDS:.0f} seconds.",
            f"Its log is {self._home.log}.",
        )

    def _start(self) -> None:
        if self._starts == MAX_STARTS or (self._process and self._process.returncode == 1):
            last = local.last_line(self._home.log).removeprefix("maquette: ")
            raise MaquetteError(
                "server-crashes",
                f"The local server has ended: {last or 'it said nothing'}",
                f"Its log is {self._home.log}.",
            )
        self._starts += 1
        self._on_progress("starting", 0, 0)
        self._process = local.start(self._home, LOCAL_COMMAND)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def connection(home: Home, server: Server) -> Iterator[Client]:
    """A client that the server has welcomed. Raises MaquetteError where it doesn't answer."""
    client = Client(client_keys(home), "command line")
    try:
        client.connect(server.endpoint, server.public_key)
        _wait_for_welcome(client)
        yield client
    finally:
        client.close()


def _wait_for_welcome(client: Client) -> None:
    began = time.monotonic()
    end = began + CONNECT_SECONDS
    problem: MaquetteError | None = None
    while time.monotonic() < end:
        for event in client.poll(POLL_SECONDS):
            if isinstance(event, Connected):
                return
            if isinstance(event, Rejected):
                raise event.error
            if isinstance(event, Disconnected):
                problem = event.error
                end = min(end, began + REFUSED_SECONDS)
    raise problem or MaquetteError(
        "no-answer",
        f"The server at {client.endpoint} doesn't answer.",
        "Check that it runs, and that a firewall lets its port through.",
    )


class Painter:
    """The server of one command: begun before Blender captures, reached for its first job.

    A context manager.

    Args:
        remote: a server on another machine; the running local one, or one for the duration,
            where None.
    """

    def __init__(self, home: Home, remote: Server | None, on_progress: OnProgress) -> None:
        self._home = home
        self._remote = remote
        self._on_progress = on_progress
        self._local: LocalServer | None = None
        self._client: Client | None = None
        self._heard: list[Received] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Painter:
        if self._remote is None:
            self._local = LocalServer(self._home, self._on_progress)
            self._stack.enter_context(self._local)
            self._local.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        surface: Surface | None = None,
        given: Mapping[int, Any] | None = None,
        material: Material | None = None,
    ) -> tuple[Result, list[memoryview]]:
        """Submit a job and wait for its result, which is left for the caller to acknowledge.

        Ctrl-C cancels the job at the server before it goes on as KeyboardInterrupt.

        Args:
            surface: what the pictures are to be carried onto, for a texture.
            given: pictures of captures that are taken as they are (uint8 [h, w, 3]).
            material: what to make without any captures.

        Raises MaquetteError as the server says.
        """
        job = self.submit(recipe, captures, surface=surface, given=given, material=material)
        try:
            while True:
                for heard in self.events():
                    if isinstance(heard.message, Result):
                        return heard.message, heard.frames
                    if error := failure(heard.message):
                        self.stored(job)
                        raise error
                    self._show(heard.message)
        except KeyboardInterrupt:
            self.cancel(job)
            raise

    def submit(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        *,
        surface: Surface | None = None,
        given: Mapping[int, Any] | None = None,
        material: Material | None = None,
        job: str | None = None,
    ) -> str:
        """`Client.submit`: a job whose end :meth:`events` tells."""
        return self._reached().submit(
            recipe, captures, surface=surface, given=given, material=material, job=job
        )

    def events(self) -> list[Received]:
        """What the server says of jobs, after a tenth of a second at most; where the connection is
        lost it is looked for again. Raises MaquetteError where it refuses this client."""
        if not self._heard:
            self._listen(POLL_SECONDS)
        heard, self._heard = self._heard, []
        return heard

    def _listen(self, seconds: float) -> None:
        client = self._reached()
        for event in client.poll(seconds):
            if isinstance(event, Rejected):
                raise event.error
            if isinstance(event, Disconnected):
                self._on_progress("reconnecting", 0, 0)
                if self._local is not None:
                    server = self._local.address()
                    client.connect(server.endpoint, server.public_key)
            elif isinstance(event, Received):
                self._heard.append(event)

    def cancel(self, *jobs: str) -> None:
        """End jobs at the server, which has ten seconds to say that they are."""
        if not jobs:
            return
        client = self._reached()
        for job in jobs:
            client.cancel(job)
        end = time.monotonic() + CANCEL_SECONDS
        while set(jobs) & set(client.open_jobs) and time.monotonic() < end:
            client.poll(POLL_SECONDS)

    def abandon(self, jobs: Sequence[str]) -> None:
        """Have the server forget jobs of an earlier run, however far they are."""
        if not jobs:
            return
        client = self._reached()
        for job in jobs:
            client.resume(job)
        self.cancel(*jobs)
        for job in jobs:
            self.stored(job)

    def stored(self, job: str) -> None:
        """Tell the server that a result is on this disk, or a failure noted, and see to it that it
        hears so; what the disk does not take, the server still has until then."""
        self._reached().acknowledge(job)
        self._listen(0.0)  # other jobs' ends may arrive meanwhile, and are told once

    @property
    def devices(self) -> int:
        """How many devices the server paints on, as far as it has said."""
        welcome = self._reached().welcome
        return max(1, len(welcome.devices)) if welcome is not None else 1

    def _show(self, message: object) -> None:
        if isinstance(message, Progress):
            self._on_progress(message.stage, message.step, message.steps)
        elif isinstance(message, Accepted):
            self._on_progress("queued", 0, 0)

    def _reached(self) -> Client:
        if self._client is None:
            server = self._remote if self._local is None else self._local.address()
            assert server is not None
            self._client = self._stack.enter_context(connection(self._home, server))
        return self._client


def failure(message: object) -> MaquetteError | None:
    """What a message about a job says went wrong with it."""
    if isinstance(message, Failed):
        return MaquetteError(message.code, message.sentence, message.hint)
    if isinstance(message, Cancelled):
        return MaquetteError("cancelled", "The job was cancelled at the server.", "Start it again.")
    return None
