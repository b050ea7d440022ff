"""How far a batch is, and how long it will take."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Tally:
    """How far a run is.

    Attributes:
        before: pictures that were there when it began.
        began: when the first one was taken on, by the monotonic clock.
    """

    before: int = 0
    made: int = 0
    failed: int = 0
    sources_failed: int = 0
    began: float | None = None

    def begin(self) -> None:
        """A picture is taken on."""
        self.began = self.began or time.monotonic()

    @property
    def ended(self) -> int:
        """Pictures that nothing more is done for."""
        return self.before + self.made + self.failed

    def left(self, total: int) -> str:
        """How many are made a minute and the time until all are; empty as long as none is."""
        if not self.made or self.began is None:
            return ""
        rate = self.made / (time.monotonic() - self.began)
        return f"{60 * rate:.3g} a minute, {duration((total - self.ended) / rate)} left"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
