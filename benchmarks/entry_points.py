"""Every way in which Blender calls an add-on, timed: what holds the main thread, and for how long.

Blender's own drawing isn't in it, nor the callbacks of properties, which can't be wrapped.
"""

from __future__ import annotations

import functools
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy

METHODS = {
    "panels": (bpy.types.Panel, ("poll", "draw", "draw_header", "draw_header_preset")),
    "menus": (bpy.types.Menu, ("poll", "draw")),
    "lists": (bpy.types.UIList, ("draw_item", "filter_items")),
    "operators": (bpy.types.Operator, ("poll", "invoke", "execute", "modal", "draw", "cancel")),
}
CAPTURES = ("capture_camera", "capture_view", "capture_viewport")
PREPARE = "overlay.drawing"
"""The module whose ``prepare`` compiles shaders, once, when the first job begins."""


@dataclass
class Calls:
    """Milliseconds of each call without what it called in turn: on the clock, of the processor."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


class Watch:
    """Wraps what an add-on is called by.

    Attributes:
        causes: kind and name of an entry point ("panels", "MAQUETTE_PT_restyle.draw") to its calls.
        sizes: pixels of each capture's cause.
    """

    def __init__(self, add_on: str) -> None:
        self.causes: dict[tuple[str, str], Calls] = defaultdict(Calls)
        self.sizes: dict[str, tuple[int, int]] = {}
        self._add_on = add_on
        self._inner: list[list[float]] = []
        self._wrapped: dict[Any, Callable] = {}
        self._captures: set[Callable] = set()

    def around(self, kind: str, name: str, function: Callable) -> Callable:
        """A function that notes its time and calls ``function``; always the same for the same."""
        if function not in self._wrapped:
            self._wrapped[function] = self._timed((kind, name), function)
        return self._wrapped[function]

    def _timed(self, cause: tuple[str, str], function: Callable) -> Callable:
        calls = self.causes[cause]

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            self._inner.append([0.0, 0.0])
            clock, processor = time.perf_counter(), time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent = (
                    (time.perf_counter() - clock) * 1000,
                    (time.thread_time() - processor) * 1000,
                )
                inner = self._inner.pop()
                calls.clock.append(spent[0] - inner[0])
                calls.processor.append(spent[1] - inner[1])
                if self._inner:
                    self._inner[-1][0] += spent[0]
                    self._inner[-1][1] += spent[1]

        return run

    def before_registration(self) -> None:
        """Wrap what the add-on hands to Blender: timers, and drawing in the 3D view."""
        timers: Any = bpy.app.timers
        plain = {
            name: getattr(timers, name) for name in ("register", "unregister", "is_registered")
        }

        def handed(name: str) -> Callable:
            @functools.wraps(plain[name])
            def call(function: Callable, **named: Any) -> Any:
                return plain[name](self._own("timers", function), **named)

            return call

        for name in plain:
            setattr(timers, name, handed(name))
        space: Any = bpy.types.SpaceView3D
        add = space.draw_handler_add
        space.draw_handler_add = staticmethod(
            lambda function, *rest: add(self._own("overlays", function), *rest)
        )

    def after_registration(self) -> None:
        """Wrap what is there by now: classes, handlers, captures."""
        for kind, (base, names) in METHODS.items():
            for cls in _subclasses(base):
                if cls.__module__.startswith(self._add_on):
                    for name in names:
                        self._wrap_method(kind, cls, name)
        for name in dir(bpy.app.handlers):
            handlers = getattr(bpy.app.handlers, name)
            if isinstance(handlers, list):
                handlers[:] = [self._own(f"handlers, {name}", each) for each in handlers]
        modules = [module for name, module in sys.modules.items() if name.startswith(self._add_on)]
        for module in modules:
            for name in CAPTURES:
                function = getattr(module, name, None)
                if function is not None:
                    setattr(module, name, self._capture(name, function))
            if module.__name__.endswith(PREPARE):
                prepare: Any = module
                prepare.prepare = self.around("shaders", "drawing.prepare", prepare.prepare)

    def _capture(self, name: str, function: Callable) -> Callable:
        """Captures by kind and size."""
        if function in self._captures:
            return function

        def run(context: Any, what: Any, *rest: Any, **named: Any) -> Any:
            size = (rest[0], rest[1]) if len(rest) >= 2 else (what.width, what.height)
            cause = f"{name} at {size[0]} x {size[1]}"
            self.sizes[cause] = size
            return self._timed(("captures", cause), function)(context, what, *rest, **named)

        self._captures.add(run)
        return run

    def _own(self, kind: str, function: Callable) -> Callable:
        """The function itself where it isn't the add-on's."""
        module = getattr(function, "__module__", None) or ""
        if not module.startswith(self._add_on):
            return function
        return self.around(kind, f"{module.rpartition('.')[2]}.{function.__name__}", function)

    def _wrap_method(self, kind: str, cls: type, name: str) -> None:
        found = cls.__dict__.get(name)
        if found is None:
            return
        function = found.__func__ if isinstance(found, classmethod) else found
        run = _alike(self.around(kind, f"{cls.__name__}.{name}", function), function)
        setattr(cls, name, classmethod(run) if isinstance(found, classmethod) else run)

    def rows(self) -> Iterator[tuple[str, str, Calls]]:
        """(kind, name, calls) of what was called, the longest hold of the processor first."""
        called = [(*cause, calls) for cause, calls in self.causes.items() if calls.processor]
        yield from sorted(called, key=lambda row: -max(row[2].processor))


def _alike(run: Callable, function: Callable) -> Callable:
    """``run`` with as many arguments as ``function``: Blender passes what a method's code takes."""
    names = ", ".join(f"argument{index}" for index in range(function.__code__.co_argcount))
    return eval(f"lambda {names}: run({names})", {"run": run})


def _subclasses(cls: type) -> Iterator[type]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def table(watch: Watch, goal_ms: float) -> str:
    """Each cause in a line: calls, median, 99th percentile and longest, and how many are over."""
    lines = [
        f"{'':54}{'processor, ms':>27}{'clock':>9}",
        f"{'cause':48}{'calls':>6}{'median':>9}{'99 %':>9}{'longest':>9}{'longest':>9}{'over':>6}",
    ]
    for kind, name, calls in watch.rows():
        ranked = sorted(calls.processor)
        late = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
        over = sum(each > goal_ms for each in ranked)
        lines.append(
            f"{f'{kind}: {name}':48.48}{len(ranked):6}{statistics.median(ranked):9.2f}{late:9.2f}"
            f"{ranked[-1]:9.2f}{max(calls.clock):9.2f}{over:6}"
        )
    return "\n".join(lines)
