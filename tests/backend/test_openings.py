"""What a prompt leaves open is decided by the seed, and by nothing else."""

from __future__ import annotations

import msgspec
import pytest
from maquette.families.openings import Opening, completed

LIGHT = Opening(settled_by=("dusk", "golden hour", "day"), choices=("by day", "at dusk", "fog"))
WALL = Opening(settled_by=("brick", "timber"), choices=("red brick", "timber"))


def test_a_prompt_that_says_everything_stays_as_it_is():
    assert completed("Brick library at Dusk", 7, [LIGHT, WALL]) == "Brick library at Dusk"


def test_seeds_read_an_open_prompt_in_different_ways():
    read = {completed("library", seed, [LIGHT, WALL]) for seed in range(40)}
    assert read == {f"library, {a}, {b}" for a in LIGHT.choices for b in WALL.choices}
    assert completed("library", 3, [LIGHT, WALL]) == completed("library", 3, [LIGHT, WALL])


def test_naming_one_thing_keeps_what_the_seed_chose_for_the_others():
    for seed in range(10):
        wall = completed("library", seed, [LIGHT, WALL]).rsplit(", ", 1)[1]
        assert completed("library at dusk", seed, [LIGHT, WALL]) == f"library at dusk, {wall}"


def test_an_empty_prompt_is_left_to_the_seed():
    assert completed("  ", 0, [LIGHT]) in LIGHT.choices


@pytest.mark.parametrize(
    ("prompt", "settled"),
    [("two bricks", True), ("bricklayer", False), ("golden  hours", False), ("daylight", False)],
)
def test_only_whole_words_settle(prompt: str, settled: bool):
    assert (LIGHT.is_settled(prompt) or WALL.is_settled(prompt)) is settled


def test_an_opening_needs_choices():
    with pytest.raises(msgspec.ValidationError, match="without choices"):
        msgspec.convert({"settled_by": ["a"], "choices": []}, Opening)
