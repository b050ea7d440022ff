"""Runs of batches with a painter that gives the colours back, into folders and to URLs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from maquette import remote
from maquette.batch.asked import sources_of
from maquette.batch.gather import Gatherer
from maquette.batch.manifest import Manifest
from maquette.batch.outbox import Outbox, working_folder
from maquette.batch.records import JSONL
from maquette.batch.sending import Sending
from maquette.batch.tally import Tally
from maquette.batch.task import Task, recipes_of
from maquette.batch.work import Work
from maquette.fetching import Fetcher
from maquette.server.results import result_of
from maquette.sources import Sources
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.events import Received
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from PIL import Image


def make_source(path: Path, shade: int = 190) -> Path:
    """A grey picture and its depth."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 16), (shade, shade, shade)).save(path)
    np.save(path.with_name(f"{path.stem}_depth.npy"), np.linspace(5, 9, 384).reshape(16, 24))
    return path


class Painter:
    """Gives every job's colours back, and refuses prompts with "never"."""

    devices = 1
    seconds = 0.1
    """That each job takes;"""
    pack = 1
    """and the pictures that the device makes at once."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []
        self.jobs: list[int] = []
        """How many pictures each had."""
        self._heard: list[Received] = []

    def submit(self, recipe: Recipe, captures: Sequence[Capture], *, job: str) -> str:
        if "never" in recipe.prompt:
            raise MaquetteError("prompt-too-long", "The prompt is too long.", "Use less.")
        self.recipes += [recipe] * len(captures)
        self.jobs.append(len(captures))
        pictures = [(n, recipe.seed, each.color) for n, each in enumerate(captures)]
        outcome: Any = SimpleNamespace(
            recipe=recipe,
            pictures=pictures,
            encoded_depth=[],
            warnings=[],
            seconds={"s": self.seconds},
            pack=self.pack,
        )
        message, frames = result_of(job, outcome)
        self._heard.append(Received(message, [frame.data.cast("B") for frame in frames]))
        return job

    def events(self) -> list[Received]:
        heard, self._heard = self._heard[:1], self._heard[1:]
        return heard

    def cancel(self, *jobs: str) -> None: ...
    def stored(self, job: str) -> None: ...
    def abandon(self, jobs: Sequence[str]) -> None: ...


def paint(task: Task, painter: Painter | None = None) -> Tally:
    """A run of a batch."""
    folder = Path(task.output)
    folder.mkdir(exist_ok=True)
    said: list[str] = []
    recipes = recipes_of(task)
    with Manifest(folder) as manifest:
        made = Work(
            manifest,
            painter or Painter(),
            Gatherer(folder, Sources(Home(folder / "home"), said.append), recipes[0].model),
            say=said.append,
            done=lambda file: None,
            progress=lambda ended, total, left: None,
            threads=task.threads,
        )
        return made.run(sources_of(task), recipes)


class Machine:
    """Somebody's computer, on which batches run.

    Attributes:
        painter: of the last run.
        said: in the last run.
    """

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.painter = Painter()
        self.said: list[str] = []

    def run(self, task: Task, painter: Painter | None = None) -> Tally:
        self.painter, self.said = painter or Painter(), []
        folder = working_folder(self.home.batches, task.output)
        folder.mkdir(parents=True, exist_ok=True)
        fetcher = Fetcher(self.home.fetched)
        sources, recipes = sources_of(task, fetcher), recipes_of(task)
        with (
            Manifest(folder) as manifest,
            Outbox(task.output, folder, JSONL, self.said.append) as outbox,
        ):
            manifest.goes_to(outbox)
            manifest.export()
            outbox.send(JSONL)
            work = Work(
                manifest,
                self.painter,
                Gatherer(folder, Sources(self.home, self.said.append), "pocket", fetcher),
                say=self.said.append,
                done=lambda file: None,
                progress=lambda ended, total, left: None,
                results=Sending(outbox, folder),
            )
            try:
                return work.run(sources, recipes)
            finally:
                manifest.export()
                outbox.send(JSONL)


def there(url: str) -> dict[str, bytes]:
    """Files of a folder at a URL."""
    fs, path = remote.opened(url)
    found = [each["name"] for each in fs.ls(path, detail=True) if each["type"] == "file"]
    return {name.rpartition("/")[2]: fs.cat_file(name) for name in found}


def pictures(url: str) -> dict[str, bytes]:
    return {name: data for name, data in there(url).items() if name.endswith(".png")}


def rows(url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in there(url)[JSONL].decode().splitlines()]
