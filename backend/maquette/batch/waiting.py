"""Pictures that wait to be painted, and which of them go into one job."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice

from maquette_wire.messages import Result
from maquette_wire.source import Source

from .captured import Taken
from .wanted import Output

LOOKED_AHEAD = 512
"""Waiting pictures among which those of one job are looked for. No source is captured while there
are as many: captures take room on the disk."""
LONG_ENOUGH = 2.0
"""Seconds of a job beyond which jobs don't grow by themselves: what goes by between two is little
then, and little is lost with one. They still have as many pictures as a device makes at once."""
PACK_MAX = 16
"""Pictures of a job at most, but where a device makes more at once."""


class Waiting:
    """The queue, in the order that pictures are painted in.

    Args:
        drop: is called with a Source when no picture of its capture waits or is painted any more.
    """

    def __init__(self, drop: Callable[[Source], None]) -> None:
        self._drop = drop
        self._queue: deque[Output] = deque()
        self._taken: dict[int, Taken] = {}
        self._unsettled: Counter[int] = Counter()  # pictures of a capture
        self._held: Counter[str] = Counter()  # captures that are the same, and share a file
        self._alone: set[int] = set()
        self._packs: Counter[str] = Counter()  # pictures of a job, by model
        self._at_once: Counter[str] = Counter()  # pictures that a device makes at once, likewise

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, taken: Taken, outputs: Sequence[Output]) -> None:
        """Have pictures of a capture wait."""
        if outputs:
            self._taken[taken.id] = taken
            self._unsettled[taken.id] = len(outputs)
            self._held[taken.source.capture] += 1
            self._queue.extend(outputs)

    def taken(self, output: Output) -> Taken:
        """The capture of a picture that is not settled."""
        return self._taken[output.capture]

    def next_job(self, devices: int) -> list[Output]:
        """Pictures of one recipe, which wait no more: for several devices the fewer, the fewer are
        left, so that none works on alone in the end (Polychronopoulos and Kuck, "Guided
        Self-Scheduling", IEEE Transactions on Computers 1987)."""
        first = self._queue[0]
        room = 1 if first.id in self._alone else max(1, self._packs[first.recipe.model])
        if devices > 1:
            share = math.ceil(len(self._queue) / (2 * devices))
            room = min(room, max(share, self._at_once[first.recipe.model]))
        alike = (
            output
            for output in islice(self._queue, LOOKED_AHEAD)
            if output.recipe == first.recipe and (room == 1 or output.id not in self._alone)
        )
        chosen = list(islice(alike, room))
        for output in chosen:
            self._queue.remove(output)
        return chosen

    def put_back(self, outputs: Sequence[Output], *, alone: bool = False) -> None:
        """Have pictures wait again, before all others. alone: each has a job of its own."""
        if alone:
            self._alone.update(output.id for output in outputs)
        self._queue.extendleft(reversed(outputs))

    def learn(self, result: Result) -> None:
        """Take from a job how many pictures the next ones of its model have."""
        painting = sum(result.seconds.values()) - result.seconds.get("loading", 0.0)
        model = result.recipe.model
        self._at_once[model] = max(result.pack, self._at_once[model])
        pack = max(result.pack, self._packs[model], 1)
        if painting < LONG_ENOUGH:
            pack = max(pack, min(2 * pack, PACK_MAX))
        self._packs[model] = pack

    def settle(self, output: Output) -> None:
        """A picture is done or has failed."""
        self._unsettled[output.capture] -= 1
        if not self._unsettled[output.capture]:
            source = self._taken.pop(output.capture).source
            self._held[source.capture] -= 1
            if not self._held[source.capture]:
                self._drop(source)
