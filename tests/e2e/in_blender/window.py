"""How a script uses a Blender with a window: what is pressed, screenshots, and the end.

Mouse and keys are real events of the display (``hands``), and screenshots are of the display. What
is pressed is found by its label, wherever a panel has it by now (``screen``). A scenario is a
generator; it yields the seconds until it goes on, and uses these with ``yield from``.

The arguments after ``--`` are the .blend and the folder for screenshots.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parent))
import screen
from hands import F3, PACE, SECONDS, TRIES, click_at, do, point, rest, scroll, still, until, wait
from screen import Box, Place, area_of, everywhere, in_sidebar, region_of, scaled

ADD_ON = "bl_ext.user_default.maquette"
SCENE, SHOTS = sys.argv[sys.argv.index("--") + 1 :][:2]
TAB = "Maquette"
ROW = 21
"""Pixels from one row of a panel to the next, at a scale of 1."""

Located = Generator[float, None, Box]


# --- looking --------------------------------------------------------------------------------------


def view() -> bpy.types.RegionView3D:
    """What the user looks through; with the sidebar open."""
    space = area_of("VIEW_3D").spaces.active
    assert isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None
    space.show_region_ui = True
    return space.region_3d


def sidebar() -> bpy.types.Region:
    return region_of("VIEW_3D", "UI")


def shot(name: str, place: Place = everywhere) -> None:
    """A true screenshot of the display, or of a place on it."""
    path = Path(SHOTS) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    screen.save(path, place())


def picture(name: str, place: Place = everywhere) -> Iterator[float]:
    """A picture for the docs: ``docs/images/NAME.jpg``, when ``build.py docs`` runs the scenario.

    The mouse is out of the way, and nothing is half drawn.
    """
    yield from rest()
    yield from still(place)
    shot(f"docs/{name}", place)


def shows(label: str, place: Place = in_sidebar) -> bool:
    """Whether a label can be read right now."""
    return bool(screen.places(screen.grey(), label, place()))


def locate(
    label: str, place: Place = in_sidebar, *, beneath: str | None = None, nth: int = 0
) -> Located:
    """Scroll until a label can be read, and return where it is.

    ``beneath``: a panel's title or another label above; of several places the ``nth`` counts.
    """
    yield from still(place)
    for step in range(40):
        picture = screen.grey()
        top = screen.places(picture, beneath, place())[:1] if beneath else []
        found = screen.places(picture, label, place())
        if top:
            found = [box for box in found if box.y > top[0].y]
        if len(found) > nth and (top or not beneath or step > 1):
            return found[nth]
        # First to the top, then down bit by bit.
        yield from scroll(-60 if step == 0 else 4, place)
        if step > 0 and (screen.cut(screen.grey(), place()) == screen.cut(picture, place())).all():
            break
    like = screen.most_like(screen.grey(), label, place())
    raise AssertionError(f"found no {label!r} to press; the most alike label is {like:.2f} so")


# --- doing ----------------------------------------------------------------------------------------


def press(
    label: str,
    so: Callable[[], object] | None = None,
    *,
    across: int = 0,
    below: int = 0,
    icon: int | None = None,
    button: int = 1,
    **where: Any,
) -> Iterator[float]:
    """Click a label, until what it is for is ``so``; ``where`` narrows it as for ``locate``.

    ``across``: so many pixels to the right of it, at a scale of 1, and so many rows ``below``.
    ``icon``: a button without
    words in the same row, counted from the sidebar's right edge: 0 is the last.
    """

    def once() -> Iterator[float]:
        spot = yield from locate(label, **where)
        x, y = spot.middle
        if icon is not None:
            x = _right_edge() - scaled(10 + 20 * icon)
        yield from click_at(x + scaled(across), y + scaled(below * ROW), button)

    if so is None:
        yield from once()
    else:
        yield from until(once, so)


def _right_edge() -> int:
    """Where the rows of the sidebar end: its tabs are to the right."""
    box = in_sidebar()
    return box.x + box.width - scaled(32)


def toggle(label: str, name: str, **where: Any) -> Iterator[float]:
    """Click the checkbox or icon of a setting of the scene's, until it is the other way round."""
    settings = bpy.context.scene.maquette
    before = getattr(settings, name)
    yield from press(label, lambda: getattr(settings, name) != before, **where)


def open_tab(name: str = TAB) -> Iterator[float]:
    """Click a tab of the sidebar, by its upright label."""
    view()
    yield from wait(lambda: sidebar().width > 100, SECONDS)
    yield from still(in_sidebar)

    def once() -> Iterator[float]:
        found = screen.places(screen.grey(), name, in_sidebar(), upright=True)
        if found:
            yield from click_at(*found[0].middle)

    yield from until(once, lambda: sidebar().active_panel_category == name)
    yield from still(in_sidebar)


def open_panel(title: str) -> Iterator[float]:
    """Click a panel's title, if it is closed."""
    for _ in range(TRIES):
        spot = yield from locate(title)
        if _is_open(spot):
            return
        yield from click_at(*spot.middle)
        yield from rest()
        yield from still(in_sidebar)
    raise AssertionError(f"the panel {title!r} doesn't open")


def _is_open(title: Box) -> bool:
    """The arrow before a panel's title points down, and is wider than high then."""
    picture = screen.grey()
    arrow = screen.cut(picture, Box(title.x - scaled(20), title.y, scaled(16), title.height))
    ink = np.abs(arrow - np.median(arrow)) > screen.FAINT * 2
    wide, high = np.ptp(np.nonzero(ink.any(0))[0]), np.ptp(np.nonzero(ink.any(1))[0])
    return bool(wide > high)


def type_into(
    label: str,
    text: str,
    read: Callable[[], object],
    *,
    across: int = 0,
    below: int = 0,
    keep: bool = False,
    **where: Any,
) -> Iterator[float]:
    """Type into a field, until ``read()`` is the text (as words).

    The field is where ``label`` is (its name inside it, or its placeholder), ``below`` so many rows
    under it, or beside it: ``across`` pixels to the right at a scale of 1. ``keep``: what is there
    stays, and the text comes behind it.
    """
    wanted = f"{read() if keep else ''}{text}"

    def once() -> Iterator[float]:
        spot = yield from locate(label, **where)
        x, y = spot.middle
        x, y = x + scaled(across), y + scaled(below * ROW)
        field = Box(x - scaled(40), y - scaled(8), scaled(80), scaled(16))
        yield from point(x, y)
        yield from still(in_sidebar)
        before = screen.cut(screen.grey(), field)
        do("click", 1)
        # Without the keyboard in a field, keys are shortcuts.
        yield from wait(lambda: (screen.cut(screen.grey(), field) != before).any(), SECONDS)
        if (screen.cut(screen.grey(), field) == before).all():
            return
        do("key", "End") if keep else do("key", "ctrl+a")
        do("type", "--delay", "25", text)
        yield PACE
        do("key", "Return")
        yield PACE

    yield from until(once, lambda: str(read()) == wanted)


def choose(
    menu: str, item: str, so: Callable[[], object] | None = None, place: Place = in_sidebar
) -> Iterator[float]:
    """Open a menu by its label, and click an item of it."""

    def once() -> Iterator[float]:
        spot = yield from locate(menu, place)
        yield from point(*spot.middle)
        yield from still()
        before = screen.grey()
        do("click", 1)
        yield from still()
        yield from _press_new(item, before)

    if so is None:
        yield from once()
    else:
        yield from until(once, so)


def _press_new(label: str, before: screen.Grey) -> Iterator[float]:
    """Click a label in what has appeared."""
    now = screen.grey()
    for spot in screen.places(now, label, everywhere()):
        if np.abs(screen.cut(now, spot) - screen.cut(before, spot)).max() > screen.FAINT:
            yield from click_at(*spot.middle)
            return
    do("key", "Escape")  # the menu is in the way of another try
    yield PACE


def search(words: str, so: Callable[[], object] | None = None) -> Iterator[float]:
    """Call a command by name: F3 over the 3D view, its name, Enter."""

    def once() -> Iterator[float]:
        yield from rest()
        do("key", F3)
        yield from still()
        do("type", "--delay", "25", words)
        yield from still()
        do("key", "Return")
        yield from still()

    if so is None:
        yield from once()
    else:
        yield from until(once, so)


# --- the whole ------------------------------------------------------------------------------------


def begin() -> Iterator[float]:
    """Open the scene as a user finds it, through its camera, with the add-on's tab in front."""
    preferences = bpy.context.preferences.view
    preferences.show_splash = False
    preferences.show_tooltips = False  # they lie over what is to be read
    bpy.ops.wm.open_mainfile(filepath=SCENE)
    yield 1
    view().view_perspective = "CAMERA"
    yield from open_tab()


def perform(steps: Iterator[float], user: dict[str, object]) -> None:
    """Run a scenario's steps in Blender's timer, print what the user has then, and end Blender."""

    def step() -> float:
        try:
            return next(steps)
        except StopIteration:
            print("USER HAS " + json.dumps(user), flush=True)
            os._exit(0)
        except BaseException:  # noqa: BLE001 (Blender would stay open and say nothing)
            traceback.print_exc()
            shot("failed")
            sys.stderr.flush()
            os._exit(1)

    bpy.app.timers.register(step, first_interval=1, persistent=True)
