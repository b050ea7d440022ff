"""Kills workers and servers at random moments, and counts what becomes of the jobs.

    python benchmarks/kills.py --kills 1000 --seed 1

A client keeps submitting jobs while worker, server, or both are killed (SIGKILL) at random moments:
after a random number of the server's messages and a random pause, or, for some, while the server
starts. Three things are counted: accepted jobs that never come to an end (lost), jobs delivered as
two different pictures, and jobs that failed. All must be 0.

The worker is one without a model, which paints different noise each time, so that a job delivered
from two runs shows; ``--real MODEL`` uses the real one with a checkpoint's folder instead, where
the same recipe gives the same picture. Results are fetched twice before they are acknowledged, some
of them across a kill.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

from maquette_wire import keys
from maquette_wire.client import Received
from maquette_wire.home import Home
from maquette_wire.local import ServerRecord
from maquette_wire.messages import Accepted, Cancelled, Failed, Result
from maquette_wire.recipe import Recipe

from tests.backend.server.harness import REAL, ServerProcess, Talker, capture, light_server

OPEN_JOBS = 4
EVENTS = 20
"""A kill comes after so many messages of the server at most, and ..."""
PAUSE = 0.2
"""... after so many seconds more at most."""
EARLY = 0.15
"""Share of the kills that come within EARLY_SECONDS, whatever the server has said."""
EARLY_SECONDS = 1.0
QUIET_SECONDS = 60.0
"""A server that says nothing for so long is killed as well."""
END_SECONDS = 180.0


@dataclass
class Report:
    """What became of the jobs."""

    kills: int = 0
    victims: Counter[str] = field(default_factory=Counter)
    submitted: int = 0
    accepted: int = 0
    delivered: int = 0
    delivered_twice: int = 0
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        victims = ", ".join(f"{count} {name}" for name, count in sorted(self.victims.items()))
        return (
            f"{self.kills} kills ({victims}) in {self.seconds:.0f} s: "
            f"{self.submitted} jobs submitted, {self.accepted} seen accepted, "
            f"{self.delivered} delivered, {self.delivered_twice} of them more than once; "
            f"{len(self.lost)} lost, {len(self.different)} delivered as different pictures, "
            f"{len(self.failed)} failed"
        )


class Campaign:
    """One server's home, one client at a time, and somebody who kills.

    Args:
        folder: for the home.
        seed: of the moments and the victims.
        port: where the server listens; any free one where 0.
        real: folder of a checkpoint to run with the real worker; the light one where None.
    """

    def __init__(self, folder: Path, seed: int, port: int = 0, real: Path | None = None) -> None:
        self._random = random.Random(seed)
        self._real = real
        self._endpoint = f"tcp://127.0.0.1:{port or _free_port()}"
        home = Home(folder / "home")
        if real is None:
            self.server = light_server(home.root, endpoint=self._endpoint)
        else:
            command = [*REAL[:-1], self._endpoint, "--device", "cpu", "--models", str(real)]
            self.server = ServerProcess(home, command)
        self._record = ServerRecord(
            endpoint=self._endpoint,
            public_key=keys.server_keys(home).public,
            pid=0,
            version="",
            protocol=1,
        )
        self.report = Report()
        self._pictures: dict[str, str] = {}
        self._accepted: set[str] = set()
        self._open: set[str] = set()
        self._again: set[str] = set()
        self._talker = self._new_talker()

    def run(self, kills: int, say: Callable[[Report], None] | None = None) -> Report:
        """Kill so many times, then let all jobs come to an end; ``say`` gets the state now and
        then."""
        began = time.monotonic()
        self.server.launch()
        while self.report.kills < kills:
            self._await_moment()
            self._kill()
            self._revive()
            if say is not None and self.report.kills % 25 == 0:
                self.report.accepted = len(self._accepted)
                self.report.seconds = time.monotonic() - began
                say(self.report)
        end = time.monotonic() + END_SECONDS
        while (self._open or self._again) and time.monotonic() < end:
            self._serve_client(submitting=False)
            self._revive()
        self.report.lost = sorted(self._open | self._again)
        self.report.accepted = len(self._accepted)
        self.report.seconds = time.monotonic() - began
        self._talker.close()
        self.server.stop()
        return self.report

    def _new_talker(self) -> Talker:
        return Talker(self._record, keys.client_keys(self.server.home), heartbeat=1.0)

    def _await_moment(self) -> None:
        """Work on until the random moment of the next kill."""
        end = time.monotonic() + QUIET_SECONDS
        events = self._random.randint(0, EVENTS)
        if self._random.random() < EARLY:
            events, end = sys.maxsize, time.monotonic() + self._random.uniform(0, EARLY_SECONDS)
        while events > 0 and time.monotonic() < end:
            events -= self._serve_client(submitting=True)
            self._revive()
        end = time.monotonic() + self._random.uniform(0, PAUSE)
        while time.monotonic() < end:
            self._serve_client(submitting=True)

    def _kill(self) -> None:
        victim = self._random.choice(("worker", "server", "both"))
        workers = self.server.workers()
        if victim != "server":
            if not workers and victim == "worker":
                return
            for worker in workers:
                worker.kill()
        if victim != "worker":
            self.server.kill()
        self.report.kills += 1
        self.report.victims[victim] += 1
        if self._random.random() < 0.2:  # the client dies as well; another takes its jobs up
            self._talker.close()
            self._talker = self._new_talker()
            for job in sorted(self._open | self._again):
                if job in self._accepted:
                    self._talker.client.resume(job)
                else:
                    # Never accepted, as far as this client's user was told: nothing is owed.
                    self._open.discard(job)

    def _revive(self) -> None:
        process = self.server.process
        if process is None or process.poll() is not None:
            self.server.launch()

    def _serve_client(self, submitting: bool) -> int:
        """Submit what there is room for, and take up what has arrived; returns how much."""
        while submitting and len(self._open) < OPEN_JOBS:
            recipe = (
                Recipe(prompt=f"steps={self._random.randint(1, 8)} pause=0.02", model="light")
                if self._real is None
                else Recipe(prompt="brick", model=self._real.name, steps=2, strength=1.0)
            )
            self._open.add(self._talker.client.submit(recipe, [capture(64, 64)]))
            self.report.submitted += 1
        news = [event for event in self._talker.listen(0.02) if isinstance(event, Received)]
        for event in news:
            self._note(event)
        self._talker.heard.clear()
        return len(news)

    def _note(self, event: Received) -> None:
        message = event.message
        job = message.job
        if isinstance(message, Accepted):
            self._accepted.add(job)
        elif isinstance(message, Failed | Cancelled):
            self.report.failed.append(f"{job}: {message}")
            self._open.discard(job)
            self._again.discard(job)
        elif isinstance(message, Result):
            self._delivered(job, hashlib.sha256(b"".join(event.frames)).hexdigest())

    def _delivered(self, job: str, picture: str) -> None:
        self._accepted.add(job)
        if self._pictures.setdefault(job, picture) != picture:
            self.report.different.append(job)
        if job in self._open:
            self._open.discard(job)
            self.report.delivered += 1
            # As if this client had died before it could say that it has the picture.
            self._again.add(job)
            self._talker.client.resume(job)
        elif job in self._again:
            self._again.discard(job)
            self.report.delivered_twice += 1
            self._talker.client.acknowledge(job)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _say(report: Report) -> None:
    print(f"so far {report}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the campaign; exit status 1 where a job was lost, doubled or failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=Path, metavar="MODEL", help="folder of a checkpoint")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Campaign(Path(folder), args.seed, real=args.real).run(args.kills, _say)
    print(report)
    for problem in (*report.lost, *report.different, *report.failed):
        print(" ", problem)
    return 1 if report.lost or report.different or report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
