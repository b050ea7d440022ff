"""The work of a batch: capturing, painting and writing, each going on while the others do.

One thread captures source after source ahead of the painting (`capturing`), the server's workers
paint, two threads write pictures (`writing`), a few more bring them to a URL where they go to one
(`sending`), and this one keeps the manifest and the server's queue. What it holds in memory is
bounded by the jobs under way; captures wait in files, and so do pictures that are to be sent.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.events import Received
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe
from msgspec.structs import replace

from .. import remote
from ..jobs import failure
from .asked import Asked
from .captured import Taken
from .capturing import Attempt, Capturing
from .gather import Gatherer, parts_of
from .manifest import Manifest
from .sending import Sending, Staying
from .tally import Tally
from .task import sized
from .waiting import LOOKED_AHEAD, Waiting
from .wanted import Output
from .writing import Writing

AHEAD = 2
"""Jobs of each device: one is painted while the next waits for it."""
UNWRITTEN = 4
"""Jobs of each device whose pictures wait for the disk, beyond which no more are asked for."""
FULL = ("too-many-jobs", "spool-full")
"""A server with these has room later."""
FULL_SECONDS = 5.0
IDLE_SECONDS = 0.05


@dataclass
class Job:
    """Pictures that the server makes at once. `unwritten`: of its result, once it is there."""

    outputs: list[Output]
    captures: list[Capture] = field(repr=False)
    unwritten: int = 0


class Paints(Protocol):
    """Where jobs are painted: a server (`jobs.Painter`) or a cluster (`cluster.Cluster`)."""

    @property
    def devices(self) -> int: ...
    def submit(self, recipe: Recipe, captures: Sequence[Capture], *, job: str) -> str: ...
    def events(self) -> list[Received]: ...
    def cancel(self, *jobs: str) -> None: ...
    def stored(self, job: str) -> None: ...
    def abandon(self, jobs: Sequence[str]) -> None: ...


class Work:
    """Does what a manifest says is to be done.

    Args:
        say: is called with each sentence for the user, once.
        done: with each file that is there, by its name in the folder.
        progress: with the pictures done, all as far as is known, and the time that is left.
        prompt: False leaves the prompt out of the files and of their names.
        threads: of a processor, for each picture.
        results: what brings the pictures to where they are to be; None where they stay in the
            folder.
    """

    def __init__(
        self,
        manifest: Manifest,
        painter: Paints,
        gatherer: Gatherer,
        *,
        say: Callable[[str], None],
        done: Callable[[str], None],
        progress: Callable[[int, int, str], None],
        prompt: bool = True,
        threads: int = 1,
        results: Sending | Staying | None = None,
    ) -> None:
        self._manifest, self._painter, self._gatherer = manifest, painter, gatherer
        self._prompt, self._threads = prompt, threads
        self._capturing = Capturing(gatherer, manifest.captured)
        self._results = results or Staying(manifest.folder)
        self._writing = Writing(manifest.folder, self._results.told, prompt=prompt)
        self._said: set[str] = set()
        self._say_it, self._done, self._progress = say, done, progress
        self._recipes: Sequence[Recipe] = ()
        self._waiting = Waiting(gatherer.drop)
        self._jobs: dict[str, Job] = {}
        self._not_before = 0.0
        self.tally = Tally()

    def run(self, sources: Sequence[Asked], recipes: Sequence[Recipe]) -> Tally:
        """Capture and paint until everything is done or has failed.

        Where it is interrupted the jobs under way are cancelled, and all that is done stays.
        Raises MaquetteError for what ends a whole batch, a full disk for instance.
        """
        self._manifest.begin()
        self._painter.abandon(self._manifest.jobs())  # of a run that was killed
        self._manifest.forget_jobs()
        self._capturing.add(sources)
        self._recipes = recipes
        with self._capturing, self._writing, self._results:
            try:
                while self._is_under_way():
                    self._results.check()
                    self._gather()
                    self._submit()
                    if self._jobs:
                        self._hear()
                    else:
                        self._capturing.wait(IDLE_SECONDS)  # or until the server has room
                    self._note_written()
                    self._note_results()
                    self._tell()
            except BaseException:
                self._capturing.stop()
                self._writing.stop()
                self._results.give_up()
                try:
                    while self._writing.pending:
                        with contextlib.suppress(MaquetteError):  # others are on disk
                            self._note_written()
                    self._results.stop()
                    self._note_results()
                finally:
                    self._painter.cancel(*self._jobs)
                raise
        self._gatherer.sweep()
        return self.tally

    def _is_under_way(self) -> bool:
        painting = self._capturing.pending or self._waiting or self._jobs
        return bool(painting or self._results.pending)

    # --- captures -------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Take what was captured, and have the next source captured."""
        attempt = self._capturing.ended()
        if attempt is not None and not self._take(attempt):
            self._capturing.again(attempt)
        elif len(self._waiting) < LOOKED_AHEAD:
            self._capturing.go_on()

    def _take(self, attempt: Attempt) -> bool:
        """Queue the pictures of a source; False where they need a capture whose file is gone."""
        asked, source, found = attempt
        try:
            captures = found.result()
        except MaquetteError as error:
            if error.code == "output-unusable":
                raise
            self._manifest.captured.fail(source, error)
            self.tally.sources_failed += 1
            self._say(f"{remote.place(asked.file).name}: {error}")
            return True
        wanted: list[tuple[Taken, list[Output]]] = []
        for taken in self._manifest.captured.update(source, captures):
            recipes = sized(self._recipes, taken.view, asked.long_side)
            stem = "-".join(parts_of(taken.source, taken.view))
            waiting = self._manifest.want(taken, recipes, stem, prompt=self._prompt)
            wanted.append((taken, waiting))
        if any(waiting and not self._gatherer.has(taken.source) for taken, waiting in wanted):
            return False
        for taken, waiting in wanted:
            unsent = self._manifest.unsent(taken)
            self.tally.before += len(self._recipes) - len(waiting) - len(unsent)
            for output in unsent:
                self._bring(taken, output)
            self._waiting.add(taken, waiting)
        return True

    # --- jobs -----------------------------------------------------------------------------------

    def _submit(self) -> None:
        while self._waiting and self._has_room() and time.monotonic() >= self._not_before:
            self.tally.begin()
            chosen, captures = self._next_job()
            if chosen:
                name = uuid.uuid4().hex
                self._manifest.assign(chosen, name)
                job = Job(chosen, captures)
                recipe = replace(chosen[0].recipe, threads=self._threads)
                try:
                    self._painter.submit(recipe, captures, job=name)
                except MaquetteError as error:  # the server would refuse it
                    self._failed(job, error)
                else:
                    self._jobs[name] = job

    def _has_room(self) -> bool:
        """Whether the server, and this machine's disk, keep up with one more job."""
        unwritten = sum(job.unwritten > 0 for job in self._jobs.values())
        devices = self._painter.devices
        return len(self._jobs) - unwritten < AHEAD * devices and unwritten < UNWRITTEN * devices

    def _next_job(self) -> tuple[list[Output], list[Capture]]:
        """Waiting pictures of one recipe, taken from the queue, and their captures."""
        chosen, captures = [], []
        for output in self._waiting.next_job(self._painter.devices):
            try:
                captures.append(self._gatherer.load(self._waiting.taken(output).source))
                chosen.append(output)
            except MaquetteError as error:
                self._fail(output, error)
        return chosen, captures

    def _hear(self) -> None:
        """Take the server's answers."""
        for heard in self._painter.events():
            job = self._jobs.get(heard.message.job)
            if job is None:
                continue
            if isinstance(heard.message, Result):
                self._write(job, heard.message, heard.frames)
            elif error := failure(heard.message):
                del self._jobs[heard.message.job]
                self._painter.stored(heard.message.job)
                self._failed(job, error)

    def _failed(self, job: Job, error: MaquetteError) -> None:
        """Paint one by one what failed together, so that one bad capture fails alone."""
        self._manifest.assign(job.outputs, None)
        if error.code in FULL:
            self._not_before = time.monotonic() + FULL_SECONDS
            self._waiting.put_back(job.outputs)
        elif len(job.outputs) > 1:
            self._waiting.put_back(job.outputs, alone=True)
        else:
            self._fail(job.outputs[0], error)

    def _fail(self, output: Output, error: MaquetteError) -> None:
        self._manifest.fail(output, error)
        self.tally.failed += 1
        self._say(f"{output.file}: {error}")
        self._waiting.settle(output)

    # --- pictures -------------------------------------------------------------------------------

    def _write(self, job: Job, result: Result, frames: list[memoryview]) -> None:
        for warning in result.warnings:
            self._say(warning)
        self._waiting.learn(result)
        for header, frame in zip(result.frames, frames, strict=True):
            if header.name != "concept":
                continue
            output = job.outputs[result.pictures[header.index].view]
            self._writing.begin(output, self._waiting.taken(output), result, frame)
            job.unwritten += 1

    def _note_written(self) -> None:
        for output, result in self._writing.ended():
            job = self._jobs[result.job]
            seconds = sum(result.seconds.values()) / len(job.outputs)
            self._manifest.done(output, result.recipe, result.warnings, seconds)
            self._bring(self._waiting.taken(output), output)
            self._waiting.settle(output)
            job.unwritten -= 1
            if not job.unwritten:
                del self._jobs[result.job]
                self._painter.stored(result.job)
                self._manifest.stored(result.job)

    def _bring(self, taken: Taken, output: Output) -> None:
        """Bring a picture that is painted to where it is to be."""
        self.tally.begin()
        self._results.begin(output, taken.picture)

    def _note_results(self) -> None:
        """Hear of the pictures on their way."""
        for output, error in self._results.ended():
            if error is not None:
                self._manifest.fail_sending(output, error)
                self.tally.failed += 1
                self._say(f"{output.file}: {error}")
            else:
                self._manifest.sent(output)
                self.tally.made += 1
                self._done(output.file)

    # --- what the user sees ---------------------------------------------------------------------

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say_it(sentence)

    def _tell(self) -> None:
        waiting = len(self._waiting) + sum(
            job.unwritten or len(job.outputs) for job in self._jobs.values()
        )
        waiting += self._results.pending
        total = self.tally.ended + waiting + self._capturing.pending * len(self._recipes)
        self._progress(self.tally.ended, total, self.tally.left(total))
