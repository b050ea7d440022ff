"""Values that are made before they are asked for."""

from __future__ import annotations

import threading

import pytest
from maquette.ahead import Ahead


def test_values_are_made_while_earlier_ones_are_used() -> None:
    made, third = [], threading.Event()

    def make(number: int) -> int:
        made.append(number)
        if number == 2:
            third.set()
        return number * number

    ahead = Ahead(make, 4)
    assert ahead[0] == 0
    assert third.wait(10), "without being asked for"
    assert [ahead[number] for number in range(len(ahead))] == [0, 1, 4, 9]
    assert made == [0, 1, 2, 3]


def test_what_fails_fails_where_it_is_asked_for() -> None:
    def make(number: int) -> int:
        if number == 1:
            raise ValueError("the second")
        return number

    ahead = Ahead(make, 3)
    assert (ahead[0], ahead[2]) == (0, 2)
    with pytest.raises(ValueError, match="the second"):
        ahead[1]


def test_nothing_more_is_made_once_it_is_given_up() -> None:
    made, began, gate = [], threading.Event(), threading.Event()

    def make(number: int) -> None:
        made.append(number)
        began.set()
        gate.wait(10)

    ahead = Ahead(make, 3)
    assert began.wait(10)
    ahead.give_up()
    gate.set()
    assert ahead[0] is None
    assert made == [0]


def test_several_threads_make_several_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def make(number: int) -> int:
        both.wait()
        return number

    ahead = Ahead(make, 4, threads=2)
    assert [ahead[number] for number in range(4)] == [0, 1, 2, 3]
