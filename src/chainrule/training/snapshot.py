"""All that a training needs to go on from where it was, bit for bit, kept in memory. On disk it is a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.arrays import Array
from chainrule.training.callbacks import Callback
from chainrule.training.run import Run


@dataclass(frozen=True)
class Snapshot:
    """A training after `step` whole steps: its weights and what the optimizer remembers, as copies."""

    arrays: dict[str, Array]
    step: int
    seen: int  # samples of the epoch so far
    sums: dict[str, float]  # over those

    @classmethod
    def of(cls, run: Run) -> Snapshot:
        """What `run` has come to."""
        arrays = {name: a.copy() for name, a in {**run.network.arrays, **run.slot_arrays}.items()}
        seen = run.seen % run.samples
        return cls(arrays, run.step, seen, dict(run.sums) if seen else {})

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return sum(array.nbytes for array in self.arrays.values())


class GoOnFrom(Callback):
    """Lets a training go on from a snapshot of one with the same settings: the same bytes as if it had not stopped."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def on_train_start(self, run: Run) -> None:
        kept = self.snapshot
        run.promise({name: array.copy() for name, array in kept.arrays.items()}, kept.step)
        run.complete_step()
        run.epoch = kept.step // run.steps_per_epoch + 1
        run.seen, run.sums = kept.seen, dict(kept.sums)
