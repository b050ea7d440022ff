"""A user's hands: real events of mouse and keys (xdotool), and waiting until Blender took them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator

import screen
from screen import Place, around, everywhere, in_sidebar, scaled

SECONDS = 20.0
F3, F12 = 69, 96
"""Keys by their codes: by a name, xdotool would hold Alt as well."""
TRIES = 6
STILL_SECONDS = 2.0
PACE = 0.2


# --- waiting --------------------------------------------------------------------------------------


def wait(until: Callable[[], object], seconds: float) -> Iterator[float]:
    """Steps until something is so or the time is up."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        yield 0.1


def until(action: Callable[[], Iterator[float]], so: Callable[[], object]) -> Iterator[float]:
    """Repeat an action until it has the effect that it is for."""
    for _ in range(TRIES):
        yield from action()
        yield from wait(so, SECONDS)
        if so():
            return
    raise AssertionError(f"Blender didn't take {action}")


def still(place: Place = everywhere) -> Iterator[float]:
    """Steps until a place looks the same twice, or goes on moving for too long."""
    end, before = time.monotonic() + STILL_SECONDS, None
    while time.monotonic() < end:
        yield PACE
        now = screen.cut(screen.grey(), place())
        if before is not None and now.shape == before.shape and (now == before).all():
            return
        before = now


# --- doing ----------------------------------------------------------------------------------------


def do(*words: object) -> None:
    """Real mouse and keyboard events."""
    subprocess.run(["xdotool", *map(str, words)], check=True)


def scroll(by: int, place: Place = in_sidebar) -> Iterator[float]:
    """Turn the mouse's wheel by so many notches (down: more than 0) at the top of a place."""
    box = place()
    yield from point(box.x + box.width * 2 // 5, box.y + scaled(14))
    do("click", "--repeat", abs(by), "--delay", 5, 5 if by > 0 else 4)
    yield from still(place)


def point(x: int, y: int) -> Iterator[float]:
    """Blender has to notice where the mouse is before a click."""
    for nudge in (4, 0):
        do("mousemove", x + nudge, y)
        yield PACE


def click_at(x: int, y: int, button: int = 1) -> Iterator[float]:
    yield from point(x, y)
    do("click", button)
    yield PACE


def drag(start: tuple[int, int], end: tuple[int, int], button: int = 1) -> Iterator[float]:
    yield from point(*start)
    do("mousedown", button)
    yield PACE
    for part in (0.3, 0.7, 1.0):
        do("mousemove", *(round(a + (b - a) * part) for a, b in zip(start, end, strict=True)))
        yield PACE
    do("mouseup", button)
    yield PACE


def widen(area: str, by: int) -> Iterator[float]:
    """Drag the left edge of an area to the left by so many pixels."""
    box = around(area)
    x, y = box.x - 1, box.y + box.height // 2
    yield from until(lambda: drag((x, y), (x - by, y)), lambda: around(area).width > box.width)


def rest() -> Iterator[float]:
    """Take the mouse off the panels, to where nothing lights up."""
    box = around("VIEW_3D") if screen.has_area("VIEW_3D") else everywhere()
    yield from point(box.x + box.width // 3, box.y + box.height // 2)
