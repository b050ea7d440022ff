"""Material: what a prompt means, and what is refused."""

from __future__ import annotations

import msgspec
import pytest
from maquette_wire.errors import MaquetteError
from maquette_wire.material import PATTERN, PATTERNS, Material, pattern_of


@pytest.mark.parametrize(
    ("prompt", "pattern"),
    [
        ("red brick", "running-bond"),
        ("pale brick, herringbone", "herringbone"),
        ("weathered oak planks", "planks"),
        ("Larch boards", "boards"),
        ("slate roof", "shingles"),
        ("red clay tile roof", "roof-tiles"),
        ("blue glazed tile, hexagons", "hexagons"),
        ("grey paving slabs", "tiles"),
        ("zinc, standing seam", "standing-seam"),
        ("sandstone", "ashlar"),
        ("white render", "plain"),
        ("brickbat", "plain"),
        ("", "plain"),
    ],
)
def test_a_prompt_names_its_pattern(prompt: str, pattern: str) -> None:
    assert pattern_of(prompt) == pattern


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_is_reached_by_its_own_title(pattern: str) -> None:
    title = PATTERN[pattern].title  # type: ignore[index]
    assert pattern_of(title) == pattern


def test_what_is_left_open_is_the_patterns_own() -> None:
    filled = Material(joint=0.02).filled("red brick")
    assert (filled.pattern, filled.unit, filled.joint) == ("running-bond", (0.22, 0.075), 0.02)
    assert filled.relief == PATTERN["running-bond"].relief
    assert filled.filled("white render") == filled


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": 0.0}, "side is 0 m"),
        ({"size": float("nan")}, "side is nan"),
        ({"pixels": 64}, "64 pixels"),
        ({"pixels": 1000}, "multiple of 64"),
        ({"unit": (0.2, 0.0001)}, "unit is 0.0001 m"),
        ({"unit": (0.2, 0.1), "joint": 0.1}, "joint is 0.1 m"),
        ({"relief": -1.0}, "relief is -1 m"),
    ],
)
def test_values_out_of_range_are_named(values: dict[str, object], words: str) -> None:
    with pytest.raises(MaquetteError, match=words) as error:
        msgspec.convert(values, Material).filled("red brick")
    assert error.value.code == "bad-material" and error.value.hint
