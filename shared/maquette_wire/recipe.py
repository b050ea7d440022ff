"""Recipe: everything but the captures that decides a result."""

from __future__ import annotations

from typing import Literal

import msgspec

from .errors import MaquetteError

RECIPE_FORMAT = 1
SEED_MAX = 2**32 - 1
THREADS_MAX = 1024
STOREYS = (2.0, 20.0)
BAYS = (0.5, 50.0)
"""Metres, the least and the most that a recipe may ask for."""

Windows = Literal["auto", "free", "punched", "tall", "ribbon", "grid", "curtain wall"]
"""How the openings of walls are laid out. ``auto``: as the prompt says, and where it says nothing
as the seed decides; ``free``: not at all, the model paints what it likes."""

Lines = Literal["none", "exact", "canny", "lineart", "mlsd"]
"""The lines that a picture is held to. ``exact``: where the capture's own surfaces and openings
end; the others are what a detector of that name finds in the capture's colours."""


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A low-rank adapter of the catalogue and the weight it is applied with."""

    name: str
    weight: float = 1.0


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a result beside its captures.

    ``None`` means "the model's own default". The recipe that comes back with a result has every
    ``None`` and ``model_hash`` filled in with what was used, so that it makes the same picture
    again, also when a default changes later; ``size`` and ``threads`` depend on no model.

    Attributes:
        prompt, negative_prompt: text for the encoder.
        model: identifier of a catalogue entry.
        model_hash: hash of the model's weights (hex SHA-256), filled in by the backend.
        seed: seed of the first picture of each capture; picture ``i`` has ``seed + i``.
        count: pictures for each capture.
        steps: denoising steps of a full schedule (strength shortens it).
        sampler: name of a scheduler, see ``maquette.schedulers``.
        guidance: classifier-free guidance scale; 1 turns guidance off.
        geometry: 0 creative ... 1 exact; decides ``strength``, ``depth_influence`` and
            ``lines_influence`` where those are ``None``.
        strength: share of the noise schedule that is run, 0 < strength <= 1.
        depth_influence: weight of the depth condition, 0 ... 1.
        loras: adapters in the order they are applied.
        windows: how the openings of walls are laid out, for models that see openings
            (``ModelInfo.facades``); others paint what they like.
        storey, bay: metres from floor to floor, and from window to window; walls are divided into
            whole bays of about that width, storeys are fitted to the height of a building.
        lines: the lines that the picture is held to, for models that take lines
            (``ModelInfo.lines``); ``None`` is ``exact`` for these, and all that others take.
        lines_influence: weight of the lines, 0 ... 1; decided by ``geometry`` where ``None``.
        size: (width, height) in pixels of the result; ``None`` is the View's own size.
        threads: how many of a processor's threads paint a picture, on which its rounding depends;
            with fewer than there are, several pictures of a job are painted at the same time.
            ``None`` is all of them, and all that a graphics card knows.
        format: version of this record.
    """

    prompt: str
    negative_prompt: str = ""
    model: str = "pocket"
    model_hash: str | None = None
    seed: int = 0
    count: int = 1
    steps: int | None = None
    sampler: str | None = None
    guidance: float | None = None
    geometry: float = 0.7
    strength: float | None = None
    depth_influence: float | None = None
    loras: tuple[Lora, ...] = ()
    windows: Windows = "auto"
    storey: float = 3.2
    bay: float = 3.0
    lines: Lines | None = None
    lines_influence: float | None = None
    size: tuple[int, int] | None = None
    threads: int | None = None
    format: int = RECIPE_FORMAT

    def check(self) -> None:
        """Raise MaquetteError("bad-recipe") naming the first field that is out of its range."""
        for name, low, high in (
            ("seed", 0, SEED_MAX),
            ("count", 1, 64),
            ("steps", 1, 1000),
            ("guidance", 0.0, 100.0),
            ("geometry", 0.0, 1.0),
            ("strength", 0.0, 1.0),
            ("depth_influence", 0.0, 1.0),
            ("storey", *STOREYS),
            ("bay", *BAYS),
            ("lines_influence", 0.0, 1.0),
            ("threads", 1, THREADS_MAX),
            ("format", 1, RECIPE_FORMAT),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:  # false for NaN as well
                raise MaquetteError(
                    "bad-recipe",
                    f"The recipe's {name} is {value}.",
                    f"Use a value from {low} to {high}.",
                )
        if self.seed + self.count - 1 > SEED_MAX:
            raise MaquetteError(
                "bad-recipe",
                f"The recipe's seed {self.seed} leaves no seeds for {self.count} pictures.",
                f"Use a seed of {SEED_MAX + 1 - self.count} at most.",
            )
        if self.size is not None and min(self.size) < 1:
            raise MaquetteError(
                "bad-recipe",
                f"The recipe's size is {self.size[0]} x {self.size[1]}.",
                "Use a width and a height of at least one pixel.",
            )

    def facade_words(self) -> dict[str, str | float]:
        """What it asks of the openings of walls, by field: what isn't as in a recipe that says
        nothing of them; lengths only where openings are laid out."""
        names = ("windows",) if self.windows == "free" else ("windows", "storey", "bay")
        plain = Recipe(prompt="")
        asked = {name: getattr(self, name) for name in names}
        return {name: value for name, value in asked.items() if value != getattr(plain, name)}

    def to_json(self) -> str:
        """The recipe as JSON text, as it is stored in outputs."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """The recipe of a stored output. Raises MaquetteError("bad-recipe")."""
        try:
            recipe = msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise MaquetteError(
                "bad-recipe",
                f"This is not a Maquette recipe: {error}.",
                "Choose a picture that Maquette made, with its metadata intact.",
            ) from error
        recipe.check()
        return recipe
