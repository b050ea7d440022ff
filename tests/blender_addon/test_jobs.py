"""Remaining time is said when something is known about it."""

from __future__ import annotations

from blender_addon.jobs import Remaining


def test_the_first_step_alone_says_nothing_when_the_stage_began_with_it():
    remaining = Remaining()
    remaining.begin(10.0)
    remaining.at(1, 21, 10.0)
    assert remaining.seconds is None
    remaining.at(2, 21, 12.0)
    assert remaining.seconds == 38.0


def test_a_first_step_that_took_time_is_a_first_guess():
    remaining = Remaining()
    remaining.begin(10.0)
    remaining.at(1, 21, 13.0)
    assert remaining.seconds == 60.0
