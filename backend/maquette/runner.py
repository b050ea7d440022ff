"""Runner: runs jobs on one device. A recipe and captures in, pictures out.

What decides a picture is its capture and the recipe, never the other pictures of the job, unless
they are painted together: each has its own depth range and its own generator on the CPU, and
device batches are made up by size, by the device's whole memory, never by what happens to be free,
and by what was measured once (`packs`). From then on the same job is bit-identical on the same
machine; pictures packed into other batches differ by rounding alone. On a processor the recipe says
by how many threads a picture is painted, and where those are few, as many pictures are painted at
the same time as there are threads for.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import torch
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from . import devices
from .batches import Batches
from .catalogue import Catalogue, Entry
from .families.family import Family
from .families.registry import load_model
from .packs import Packs
from .painting import paint
from .plan import make_plan
from .running import Job, ProgressCallback
from .stopwatch import Stopwatch
from .together import surface_average
from .workers import computing_with

_FRAMES = 4  # that a thread makes in less time than a picture is painted in
_SMALLER = "Use a smaller size, a smaller model, or close other programs that use the device."


@dataclass(frozen=True)
class SamplingResult:
    """A finished job.

    Attributes:
        recipe: with the model's hash and every default filled in.
        pictures: (number of the capture, seed, uint8 sRGB [H, W, 3]), by capture, then by seed.
        encoded_depth: for each capture what the model saw, uint8 [h, w] at the resolution it takes,
            near white; empty where all pictures were given, so that no model saw any.
        warnings: sentences for the user.
        seconds: time spent loading, encoding, sampling and decoding, and aligning views that are
            painted together.
        pack: pictures of such a job that the device makes at once, or is to try next.
    """

    recipe: Recipe
    pictures: list[tuple[int, int, NDArray[np.uint8]]]
    encoded_depth: list[NDArray[np.uint8]]
    warnings: list[str]
    seconds: dict[str, float]
    pack: int = 1


class Runner:
    """Runs jobs on one device, one after the other, and keeps the last model loaded.

    Args:
        device: "cuda:0", "mps", "cpu", or "auto" for the best one there is.
        catalogue: where models are looked up; the user's own where None.
        dtype: precision of the models that allow it; what suits the device where None.
        batch_size: pictures in a device batch; the fastest that suits the memory where None.
        measure: try which that is; None: on all but processors.
    """

    def __init__(
        self,
        device: str = "auto",
        *,
        catalogue: Catalogue | None = None,
        dtype: torch.dtype | None = None,
        batch_size: int | None = None,
        measure: bool | None = None,
    ) -> None:
        self.device = devices.find(device)
        self.dtype = dtype or devices.precision(self.device)
        self.catalogue = catalogue or Catalogue()
        measures = not self._is_processor if measure is None else measure
        packs = Packs(self.catalogue.home) if measures else None
        self._batches = Batches(self.device, packs, batch_size)
        self._loaded: tuple[str, str, Family[Any]] | None = None
        devices.make_deterministic()

    def run(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        *,
        progress: ProgressCallback | None = None,
        cancelled: Callable[[], bool] | None = None,
        previews: bool = False,
        together: bool = False,
        given: Mapping[int, NDArray[np.uint8]] | None = None,
        seamless: bool = False,
        painted: int | None = None,
        even: bool = False,
    ) -> SamplingResult:
        """Make `recipe.count` pictures of each capture.

        progress is called, and cancelled asked, at least once for each denoising step. together:
        the captures show one scene, and their pictures are to show one building: they are painted
        in step and agree where they see the same surface. given: finished pictures by the number
        of their capture, uint8 sRGB [H, W, 3] at the view's size; they come back as they are, and
        pictures that are painted together take their colours from them. Where all are given no
        model is looked for, and the recipe comes back as it came. seamless: the captures are
        square and go on at their opposite edge, and so do their pictures, which are smaller where
        the model can't paint as large. painted: pixels of the longer side that pictures are painted
        at, at most; they are enlarged to the captures' exact edges. even: without the light that is
        painted. Raises JobCancelled where cancelled says true, and MaquetteError for everything a
        user can mend: "bad-recipe" for more than one picture of a capture with together or given,
        "bad-message" for a given picture without a capture, "bad-capture" for one of another size.
        """
        progress = progress or no_progress
        cancelled = cancelled or never
        given = given or {}
        recipe.check()
        captures = _with_given(recipe, captures, together, given)
        if captures and len(given) == len(captures):
            pictures = [(number, recipe.seed, given[number]) for number in range(len(captures))]
            return SamplingResult(recipe, pictures, [], [], {})
        entry = self.catalogue.present(recipe.model)
        loras = [(lora, self.catalogue.lora(lora.name, entry)) for lora in recipe.loras]
        threads = torch.get_num_threads()
        each = min(recipe.threads, threads) if recipe.threads and self._is_processor else None
        recipe = msgspec.structs.replace(recipe, threads=each)
        watch = Stopwatch()
        needed = f"this job with the model {entry.name!r}, also one picture at a time"
        with self._memory_for(needed, self.device, _SMALLER), contextlib.ExitStack() as inside:
            with watch.timed("loading"):
                model, model_hash = self._model(entry, progress)
                model.set_loras(loras)
            inside.enter_context(computing_with(each or threads))
            plan = make_plan(
                *(recipe, captures, model, model_hash),
                seamless=seamless,
                together=together,
                painted=painted,
                even=even,
                makers=-(-threads // (_FRAMES * each)) if each else 1,
            )
            inside.enter_context(contextlib.closing(plan))
            with watch.timed("loading"):
                model.prepare(lines=plan.frame(0).lines is not None)
            job = Job(
                *(plan, model, progress, cancelled, previews, watch),
                given=frozenset(given),
                pictures=dict(given),
                even=even,
            )
            job.check_cancelled()
            if together:
                _have_agree(job, captures, given)
            elif each and not seamless:
                job.at_once = min(threads // each, self._batches.beside(job))
            else:
                job.measured = functools.partial(self._batches.note, job)
            paint(job, self._batches.of(job))
            return self._result(job)

    @property
    def _is_processor(self) -> bool:
        return self.device.type == "cpu"

    def _result(self, job: Job) -> SamplingResult:
        plan, count = job.plan, job.plan.recipe.count
        return SamplingResult(
            recipe=plan.recipe,
            pictures=[
                (number // count, plan.recipe.seed + number % count, job.pictures[number])
                for number in range(job.count)
            ],
            encoded_depth=[frame.seen for frame in plan.frames],
            warnings=[*plan.warnings, *job.warnings],
            seconds={stage: round(spent, 4) for stage, spent in job.watch.seconds.items()},
            pack=max(job.at_once, *(self._batches.size(job, size) for size in plan.padded)),
        )

    def rebuilt(self, model: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What a model's autoencoder makes of a picture, uint8 sRGB [H, W, 3], whose sides are
        multiples of what the model takes. Raises MaquetteError for a model that isn't there, and
        ("bad-numbers") for one that gives values that are not numbers."""
        family, _ = self._model(self.catalogue.present(model), no_progress)
        decoded = family.autoencoder.decode(family.autoencoder.encode(picture))
        if decoded is None:
            raise MaquetteError(
                "bad-numbers",
                f"The autoencoder of {model!r} gives values that are not numbers.",
                "Fetch the model again.",
            )
        return decoded

    # --- models ---------------------------------------------------------------------------------

    def _model(self, entry: Entry, progress: ProgressCallback) -> tuple[Family[Any], str]:
        """The loaded model and its hash; a model whose files have changed is loaded again."""
        model_hash = self.catalogue.hash_of(entry)
        key = str(entry.directory.absolute())
        if self._loaded is not None and self._loaded[:2] == (key, model_hash):
            return self._loaded[2], model_hash
        progress("loading", 0, 0, {})
        self._release()
        model = load_model(entry.directory, self.device, self.dtype)
        self._loaded = (key, model_hash, model)
        return model, model_hash

    def _release(self) -> None:
        self._loaded = None
        devices.release_memory(self.device)

    @contextlib.contextmanager
    def _memory_for(self, what: str, device: torch.device, hint: str) -> Iterator[None]:
        """Inside, a device may run out of memory: then the model is let go of, and raised is
        MaquetteError("out-of-memory")."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
            self._release()
            raise MaquetteError(
                "out-of-memory",
                f"{devices.describe(device)} has not enough memory for {what}.",
                hint,
            ) from error


def _have_agree(
    job: Job, captures: Sequence[Capture], given: Mapping[int, NDArray[np.uint8]]
) -> None:
    """Have the pictures of a job's captures show one building."""
    job.captures = captures
    with job.watch.timed("aligning"):
        job.average = surface_average(captures, job.plan.frames, job.model.factor, given)
    if job.model.settings.shared_attention and len(captures) > 1:
        job.anchor = min(given) if given else job.average.leader


def _with_given(
    recipe: Recipe,
    captures: Sequence[Capture],
    together: bool,
    given: Mapping[int, NDArray[np.uint8]],
) -> list[Capture]:
    """The captures, those whose picture is given with that as their colour."""
    if (together or given) and recipe.count > 1:
        raise MaquetteError(
            "bad-recipe",
            f"The recipe asks for {recipe.count} pictures of each view of one scene.",
            "Views that are painted together have one picture each: set the count to 1, and run "
            "a job for each seed.",
        )
    for number in given:
        if not 0 <= number < len(captures):
            raise MaquetteError(
                "bad-message",
                f"A picture is given of capture {number}, and the job has {len(captures)}.",
                "Number the given pictures as their captures, from 0.",
            )
    return [
        Capture(capture.view, given[number], capture.depth) if number in given else capture
        for number, capture in enumerate(captures)
    ]


def no_progress(stage: str, step: int, steps: int, previews: dict[int, Any]) -> None:
    """Nobody watches."""


def never() -> bool:
    return False
