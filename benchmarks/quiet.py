"""Whether a measurement had the machine to itself, and how to wait until it has."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DISTURBED = 0.15  # cores that others use, from where on a figure does not deserve trust
LONGEST = 1800  # seconds to wait for them to be done

R = TypeVar("R")


@dataclass(frozen=True)
class Use:
    """What the processors have done so far, in seconds of one core; where the system does not tell, nothing."""

    clock: float
    busy: float
    mine: float  # of this process and those it has started, once they have ended

    @staticmethod
    def now() -> Use:
        stat = Path("/proc/stat")
        ticks = [int(word) for word in stat.read_text().splitlines()[0].split()[1:9]] if stat.exists() else [0] * 8
        return Use(
            time.perf_counter(),
            (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"),  # all but idle and waiting for disks
            sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)),
        )

    def by_others(self) -> float:
        """How many cores others have used since then, on average."""
        now = Use.now()
        return max(now.busy - self.busy - (now.mine - self.mine), 0.0) / (now.clock - self.clock)


def undisturbed(measure: Callable[[], R], tries: int) -> tuple[R, float]:
    """What `measure` gives, and how many cores others used meanwhile; again, once they are done, if too many."""
    for last in reversed(range(tries)):
        before = Use.now()
        found = measure()
        others = before.by_others()
        if others <= DISTURBED or not last:
            return found, others
        print(f"  others used {others:.2f} cores: once more", file=sys.stderr, flush=True)
        wait()
    raise ValueError(f"tries: expected at least 1, got {tries}")


def wait() -> None:
    """Until nothing else runs, but not for ever."""
    end = time.perf_counter() + LONGEST
    while time.perf_counter() < end:
        before = Use.now()
        time.sleep(3)
        if before.by_others() <= DISTURBED:
            return
