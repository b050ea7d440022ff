"""A worker: the process that owns one device and samples one job after the other.

``python -m maquette.server.worker``, started by :mod:`.pool`. It ends when its standard input
does, even in the middle of a step, so that a server's death never leaves one behind.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import zmq
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.material import Material
from maquette_wire.messages import Coverage, FrameHeader, Progress, Result, Submit
from maquette_wire.packing import pack
from maquette_wire.recipe import Recipe
from maquette_wire.surface import Surface, surface_of
from numpy.typing import NDArray

from . import worker_messages as wm
from .results import Made, Outcome, material_result, result_of
from .spool import file_error

log = logging.getLogger(__name__)


ProgressCallback = Callable[[str, int, int, dict[int, NDArray[np.uint8]]], None]


class RunsJobs(Protocol):
    """What a worker needs of a sampler, see ``maquette.sampling.Sampler``."""

    def run(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        *,
        progress: ProgressCallback,
        cancelled: Callable[[], bool],
        previews: bool,
        together: bool,
        given: Mapping[int, NDArray[np.uint8]],
        painted: int | None,
        even: bool,
    ) -> Outcome: ...

    def bake(
        self,
        surface: Surface,
        captures: Sequence[Capture],
        pictures: Sequence[NDArray[np.uint8]],
        *,
        progress: ProgressCallback,
        cancelled: Callable[[], bool],
    ) -> tuple[Sequence[NDArray[Any]], Coverage]: ...

    def material(
        self,
        recipe: Recipe,
        material: Material,
        *,
        progress: ProgressCallback,
        cancelled: Callable[[], bool],
        previews: bool,
    ) -> Made: ...


class Equipment(NamedTuple):
    """What a worker starts with, once its libraries are loaded.

    Attributes:
        sampler: runs the jobs.
        job_cancelled: what the sampler raises when it was asked to stop.
        device, devices, samplers: as in :class:`~.worker_messages.Ready`.
    """

    sampler: RunsJobs
    job_cancelled: type[Exception]
    device: str
    devices: tuple[str, ...]
    samplers: tuple[str, ...]


class _Session:
    """The connection to the loop, and the job in work."""

    def __init__(self, enlistment: wm.Enlistment) -> None:
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.curve_serverkey = enlistment.server_key.encode()
        self.socket.curve_publickey = enlistment.public_key.encode()
        self.socket.curve_secretkey = enlistment.secret_key.encode()
        self.socket.connect(enlistment.endpoint)
        self._job = ""
        self._stop = False

    def say(self, note: wm.FromWorker, parts: Sequence[Any] = ()) -> None:
        self.socket.send_multipart([wm.encode(note), *parts])

    def next_job(self) -> wm.Assign:
        """Wait for work."""
        while True:
            note = wm.decode_to_worker(self.socket.recv())
            if isinstance(note, wm.Assign):
                self._job, self._stop = note.job, False
                return note

    def cancelled(self) -> bool:
        """Whether the job in work is to stop."""
        while self.socket.poll(0):
            note = wm.decode_to_worker(self.socket.recv())
            if isinstance(note, wm.Stop) and note.job == self._job:
                self._stop = True
        return self._stop

    def progress(
        self, stage: str, step: int, steps: int, previews: dict[int, NDArray[np.uint8]]
    ) -> None:
        """Tell where the job is. ``previews``: uint8 [h, w, 3] by the picture's number."""
        frames = [np.ascontiguousarray(image, np.uint8) for image in previews.values()]
        headers = tuple(
            FrameHeader(name="preview", index=index, dtype="u1", shape=frame.shape)
            for index, frame in zip(previews, frames, strict=True)
        )
        message = msgspec.convert(
            {"job": self._job, "stage": stage, "step": step, "steps": steps}, Progress
        )
        message = msgspec.structs.replace(message, frames=headers)
        self.say(wm.Step(job=self._job), pack(message, [frame.data for frame in frames]))


def run_job(session: _Session, equipment: Equipment, assigned: wm.Assign) -> wm.FromWorker:
    """Run one job, write its result, and return what to tell the loop about it."""
    job = assigned.job
    result = Path(assigned.result)
    try:
        submit, buffers = container.read(Path(assigned.captures), kind=Submit)
        made = _painted if submit.material is None else _material
        message, frames = made(session, equipment.sampler, submit, buffers)
        container.write(result, message, [frame.data for frame in frames])
    except equipment.job_cancelled:
        return wm.Stopped(job=job)
    except MaquetteError as error:
        return wm.Broke(job=job, code=error.code, sentence=error.sentence, hint=error.hint)
    except OSError as error:
        # A job that was cancelled meanwhile has no files any more, and the loop asks for nothing.
        log.warning("Job %s met a file that it can't use: %s", job, error)
        reason = file_error(error)
        return wm.Broke(job=job, code=reason.code, sentence=reason.sentence, hint=reason.hint)
    except Exception as error:
        # A fault in one job must cost neither the next one nor the models in memory.
        log.exception("Job %s failed.", job)
        return wm.Broke(
            job=job,
            code="internal-error",
            sentence=f"Sampling failed with {type(error).__name__}: {error}.",
            hint="Please report it with the server's log.",
        )
    return wm.Finished(job=job, result=assigned.result)


def _painted(
    session: _Session, sampler: RunsJobs, submit: Submit, buffers: Sequence[memoryview]
) -> tuple[Result, list[NDArray[Any]]]:
    """The result of a job on captures, carried onto a texture where it asks for one."""
    captures = [
        Capture(capture.view, np.asarray(capture.color), np.asarray(capture.depth))
        for capture in captures_of(submit, buffers)
    ]
    surface, given = surface_of(submit, buffers)
    outcome = sampler.run(
        submit.recipe,
        captures,
        progress=session.progress,
        cancelled=session.cancelled,
        previews=submit.previews,
        together=submit.together or surface is not None,
        given={number: np.asarray(picture) for number, picture in given.items()},
        painted=None if surface is None else surface.texture.painted,
        even=surface is not None and surface.texture.even,
    )
    texture = None
    if surface is not None:
        texture = sampler.bake(
            surface,
            captures,
            [picture for _, _, picture in outcome.pictures],
            progress=session.progress,
            cancelled=session.cancelled,
        )
    return result_of(submit.job, outcome, texture)


def _material(
    session: _Session, sampler: RunsJobs, submit: Submit, buffers: Sequence[memoryview]
) -> tuple[Result, list[NDArray[Any]]]:
    """The result of a material's job."""
    assert submit.material is not None and not buffers
    made = sampler.material(
        submit.recipe,
        submit.material,
        progress=session.progress,
        cancelled=session.cancelled,
        previews=submit.previews,
    )
    return material_result(submit.job, made)


def _end_with_server() -> None:
    """Wait for the end of standard input, then end this process at once.

    Nothing is left half done: results are written elsewhere and renamed, and the journal isn't
    this process's.
    """
    sys.stdin.buffer.read()
    os._exit(0)


def work(equip: Callable[[wm.Enlistment], Equipment]) -> None:
    """Enlist with the server that started this process, and run its jobs until it ends.

    Args:
        equip: loads what sampling needs. Called after the watch on the server has begun, as it
            may take seconds. May raise MaquetteError where this worker can never start.
    """
    enlistment = msgspec.json.decode(sys.stdin.buffer.readline(), type=wm.Enlistment)
    threading.Thread(target=_end_with_server, name="end-with-server", daemon=True).start()
    session = _Session(enlistment)
    try:
        equipment = equip(enlistment)
    except MaquetteError as error:
        session.say(wm.Unusable(code=error.code, sentence=error.sentence, hint=error.hint))
        session.socket.close(linger=2000)
        zmq.Context.instance().term()
        raise SystemExit(f"{error.sentence} {error.hint}") from error
    session.say(
        wm.Ready(device=equipment.device, devices=equipment.devices, samplers=equipment.samplers)
    )
    while True:
        session.say(run_job(session, equipment, session.next_job()))


def choose_devices(wanted: str, available: Sequence[str]) -> tuple[str, ...]:
    """The devices that a server with ``--device wanted`` uses, the first of them here.

    ``auto`` takes every graphics card; the processor only works where there is none, since it
    would hold up each job that it gets.
    """
    if wanted != "auto":
        return (wanted,)
    cards = tuple(name for name in available if name.startswith("cuda"))
    return cards or tuple(available[:1])


def load_sampler(enlistment: wm.Enlistment) -> Equipment:
    """The sampler of this installation, on the device that the server asks for."""
    # Imported here and not above: it takes seconds, during which the server may end.
    from maquette_wire.home import Home

    from .. import devices, samplers
    from ..catalogue import Catalogue

    chosen = choose_devices(enlistment.device, devices.available())
    device = str(devices.find(chosen[0]))  # whoever asks for one that isn't there hears so sooner

    from ..running import JobCancelled
    from ..sampling import Sampler

    catalogue = Catalogue(Home(Path(enlistment.home)), [Path(path) for path in enlistment.models])
    return Equipment(
        sampler=Sampler(device, catalogue=catalogue),
        job_cancelled=JobCancelled,
        device=device,
        devices=chosen,
        samplers=samplers.NAMES,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(levelname)s %(message)s")
    work(load_sampler)
