"""What a sampler returns → a Result, with its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from maquette_wire.material import MAPS, Material
from maquette_wire.messages import Coverage, FrameHeader, Picture, Result
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray


class Outcome(Protocol):
    """What a sampler returns, see ``maquette.runner.SamplingResult``."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def pictures(self) -> Sequence[tuple[int, int, NDArray[np.uint8]]]: ...
    @property
    def encoded_depth(self) -> Sequence[NDArray[np.uint8]]: ...
    @property
    def warnings(self) -> Sequence[str]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...
    @property
    def pack(self) -> int: ...


class Made(Protocol):
    """A material that a sampler returns, see ``maquette.materials.making.MadeMaterial``."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def material(self) -> Material: ...
    @property
    def maps(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def warnings(self) -> Sequence[str]: ...
    @property
    def seconds(self) -> Mapping[str, float]: ...


def material_result(job: str, made: Made) -> tuple[Result, list[NDArray[Any]]]:
    """The Result of a material's job and its frames, contiguous."""
    frames = [
        np.ascontiguousarray(made.maps[name], dtype={"u1": np.uint8, "f4": np.float32}[dtype])
        for name, (dtype, _) in MAPS.items()
    ]
    message = Result(
        job=job,
        recipe=made.recipe,
        pictures=(),
        warnings=tuple(made.warnings),
        seconds=dict(made.seconds),
        material=made.material,
        frames=tuple(
            FrameHeader(name=name, dtype=dtype, shape=frame.shape)
            for (name, (dtype, _)), frame in zip(MAPS.items(), frames, strict=True)
        ),
    )
    return message, frames


def result_of(
    job: str, outcome: Outcome, texture: tuple[Sequence[NDArray[Any]], Coverage] | None = None
) -> tuple[Result, list[NDArray[Any]]]:
    """The Result of a job and its frames, contiguous. texture: its tiles, uint8 or uint16."""
    named: dict[str, Sequence[NDArray[Any]]] = {
        "concept": [picture for _, _, picture in outcome.pictures],
        "encoded_depth": outcome.encoded_depth,
        "texture": [] if texture is None else texture[0],
    }
    headers, frames = [], []
    for name, pictures in named.items():
        for index, picture in enumerate(pictures):
            frame = np.ascontiguousarray(picture)
            frames.append(frame)
            dtype = "u2" if frame.dtype == np.uint16 else "u1"
            headers.append(FrameHeader(name=name, index=index, dtype=dtype, shape=frame.shape))
    message = Result(
        job=job,
        recipe=outcome.recipe,
        pictures=tuple(Picture(view=view, seed=seed) for view, seed, _ in outcome.pictures),
        warnings=tuple(outcome.warnings),
        seconds=dict(outcome.seconds),
        coverage=None if texture is None else texture[1],
        pack=outcome.pack,
        frames=tuple(headers),
    )
    return message, frames
