"""Jobs as the add-on sees them: explicit states, progress and remaining time. No bpy here."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Accepted, Cancelled, Failed, Message, Progress, Result
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from .commissions import Commission


class State(enum.Enum):
    """Where a job is; the value is what the panel says."""

    WAITING = "Waiting for the server"
    QUEUED = "In the queue"
    LOADING = "Loading the model"
    SAMPLING = "Painting"
    DECODING = "Finishing"
    BAKING = "Laying it on the model"
    CANCELLING = "Cancelling"
    SAVING = "Saving"
    UNSAVED = "Not saved"
    """The picture is here, and no folder takes it: the user has to do something."""
    DONE = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def open(self) -> bool:
        """Whether something is still to come by itself."""
        return self not in (State.UNSAVED, State.DONE, State.FAILED, State.CANCELLED)


LABEL = 60
"""Characters of a prompt beside a job's view: more than the widest sidebar shows."""
STAGES = {
    "queued": State.QUEUED,
    "loading": State.LOADING,
    "sampling": State.SAMPLING,
    "decoding": State.DECODING,
    "baking": State.BAKING,
}


@dataclass(frozen=True)
class Target:
    """Where a job's pictures belong.

    Attributes:
        blend: path of the .blend, empty where it was never saved.
        scene: name of the scene.
        scene_uid: the scene's ``session_uid``, which no other file's scene has in this Blender;
            0 for a job of an earlier Blender.
        folder: where to save if the .blend isn't open any more.
    """

    blend: str
    scene: str
    scene_uid: int
    folder: str


@dataclass
class Remaining:
    """Remaining time from the steps so far.

    The first step includes what is done once (compiling, warming up), so the rate is taken from
    the steps after it as soon as there are any.
    """

    begun: float = 0.0
    first_step: int = 0
    first_at: float = 0.0
    seconds: float | None = None
    rate: float | None = None
    """Seconds for a step."""

    def begin(self, now: float) -> None:
        """The stage starts at ``now`` (seconds of any steady clock)."""
        self.begun, self.first_step, self.seconds, self.rate = now, 0, None, None

    def at(self, step: int, steps: int, now: float) -> None:
        """``step`` of ``steps`` was reached at ``now``."""
        if step <= 0:
            return
        if self.first_step == 0:
            self.first_step, self.first_at = step, now
            if now <= self.begun:
                return  # the stage's first message was this step's: nothing is known yet
            self.rate = (now - self.begun) / step
        elif step > self.first_step:
            self.rate = (now - self.first_at) / (step - self.first_step)
        else:
            return
        self.seconds = self.rate * max(steps - step, 0)


@dataclass
class Job:
    """One Restyle: a Recipe on one View, from the capture to the saved picture; or a texture's or
    a material's job."""

    name: str
    recipe: Recipe
    views: tuple[View, ...]
    target: Target
    state: State = State.WAITING
    step: int = 0
    steps: int = 0
    ahead: int = 0
    error: MaquetteError | None = None
    remaining: Remaining = field(default_factory=Remaining)
    recovered: bool = False
    texture: Path | None = None
    """The folder of the texture that this job makes."""
    commission: Commission | None = None
    """The material that this job makes, and where it goes."""
    captures: tuple[Capture, ...] = ()
    """What its pictures are made of, to be kept beside them; none of an earlier Blender's job."""
    pictures: tuple[Path, ...] = ()
    """Files of its concepts, once they are saved."""

    @property
    def title(self) -> str:
        """What the job paints, in a few words."""
        return title_of(self.views, self.texture, self.commission)

    @property
    def noun(self) -> str:
        """What it makes, within a sentence."""
        if self.commission is not None:
            return "material"
        return "concept" if self.texture is None else "texture"

    @property
    def is_concept(self) -> bool:
        """Whether it makes pictures for the gallery, and can be run again from the list."""
        return self.texture is None and self.commission is None

    @property
    def label(self) -> str:
        """What tells the job from others: its view, and the first words of its prompt."""
        return label_of(self.title, self.recipe)

    @property
    def pixels(self) -> int:
        """Pixels of all its pictures."""
        if self.commission is not None:
            return self.commission.material.pixels**2
        sizes = [self.recipe.size or (view.width, view.height) for view in self.views]
        return self.recipe.count * sum(width * height for width, height in sizes)

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1 over the painting."""
        if self.state in (State.DECODING, State.BAKING, State.SAVING, State.DONE):
            return 1.0
        return min(self.step / self.steps, 1.0) if self.steps else 0.0

    def describe(self) -> str:
        """The state with what is known beside it: places in the queue, steps, remaining time."""
        if self.state is State.QUEUED and self.ahead:
            return f"In the queue behind {self.ahead}"
        if self.state is State.SAMPLING and self.steps:
            text = f"Painting {self.step}/{self.steps}"
            if self.remaining.seconds is not None:
                text += f", {duration(self.remaining.seconds)} left"
            return text
        if self.state is State.BAKING and self.commission is not None:
            return "Making its maps"
        return self.state.value

    def take(self, message: Message, now: float) -> None:
        """Follow a message of the server about this job; a result leads to SAVING, not DONE."""
        if isinstance(message, Failed):
            self.fail(MaquetteError(message.code, message.sentence, message.hint))
        elif isinstance(message, Cancelled):
            self.state = State.CANCELLED
        elif isinstance(message, Result):
            self.state = State.SAVING
        elif self.state is State.CANCELLING:
            return  # what was on its way when the user pressed Cancel
        elif isinstance(message, Accepted):
            self.state, self.ahead = State.QUEUED, message.ahead
        elif isinstance(message, Progress):
            self._take_progress(message, now)

    def interrupt(self) -> None:
        """The server is gone; whatever it was doing for the job isn't going on now."""
        if self.state in (State.QUEUED, *STAGES.values()):
            self.state, self.step, self.steps, self.ahead = State.WAITING, 0, 0, 0

    def fail(self, error: MaquetteError) -> None:
        """The job can't be done."""
        self.state, self.error = State.FAILED, error

    def _take_progress(self, message: Progress, now: float) -> None:
        state = STAGES[message.stage]
        if state is State.SAMPLING and self.state is not State.SAMPLING:
            self.remaining.begin(now)
        self.state = state
        self.step, self.steps, self.ahead = message.step, message.steps, message.ahead
        if state is State.SAMPLING:
            self.remaining.at(message.step, message.steps, now)


def title_of(views: Sequence[View], texture: object, commission: object) -> str:
    """What a job paints, in a few words; ``texture`` and ``commission`` are true where it makes a
    texture or a material."""
    if commission:
        return "Material"
    if texture:
        return "Texture"
    return (views[0].name if views else "") or "Viewport"


def label_of(title: str, recipe: Recipe) -> str:
    """A job's title, and the first words of its prompt."""
    return f"{title}: {' '.join(recipe.prompt.split())[:LABEL]}"


def about(seconds: float) -> str:
    """Seconds as a person guesses them: "40 s", "3 min"."""
    return duration(seconds) if seconds < 60 else f"{round(seconds / 60)} min"


def duration(seconds: float) -> str:
    """Seconds as a person says them: "2 s", "1 min 20 s"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
