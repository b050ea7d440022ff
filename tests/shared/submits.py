"""A job as it is submitted, and the refusal of one that is not right."""

from __future__ import annotations

import pytest
from maquette_wire.capture import Capture, frames_of
from maquette_wire.messages import Limits, Submit
from maquette_wire.packing import FROM_CLIENT, BadMessage, unpack
from maquette_wire.recipe import Recipe

JOB = "0123456789abcdef" * 2


def submit_of(captures: list[Capture], **changes: object) -> tuple[Submit, list[memoryview]]:
    headers, frames = frames_of(captures)
    fields: dict[str, object] = {
        "job": JOB,
        "recipe": Recipe(prompt="x"),
        "views": tuple(capture.view for capture in captures),
        "frames": headers,
    }
    return Submit(**{**fields, **changes}), frames  # type: ignore[arg-type]


def refused(parts: list, kind: object = FROM_CLIENT, limits: Limits | None = None) -> BadMessage:
    with pytest.raises(BadMessage) as caught:
        unpack(parts, kind, limits)
    assert caught.value.sentence.endswith(".")
    return caught.value
