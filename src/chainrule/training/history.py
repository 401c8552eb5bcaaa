"""What was measured while a network learned."""

from dataclasses import dataclass, field
from typing import Any

from chainrule.errors import MissingExtraError, SettingError

Record = dict[str, float]  # one epoch: "epoch", "loss", "accuracy", "validation_loss", …


@dataclass
class History:
    """One record per finished epoch, and why training ended.

    "loss" and "accuracy" are means over the batches of the epoch, each taken before its step; the "validation_…"
    figures are taken after the epoch. With a penalty, "loss" is the sum of "data_loss" and "penalty". "seconds" and
    "samples_per_second" count the training steps alone.
    """

    records: list[Record] = field(default_factory=list)
    stopped: str = ""

    def __getitem__(self, name: str) -> list[float]:
        """The figure `name` of every epoch. Raises SettingError when it was not measured."""
        if not self.records or name not in self.records[-1]:
            known = ", ".join(self.records[-1]) if self.records else "nothing yet: no epoch has ended"
            raise SettingError(f"history has no {name!r}; it has {known}")
        return [record[name] for record in self.records]

    def __len__(self) -> int:
        """The number of finished epochs."""
        return len(self.records)

    def to_dict(self) -> dict[str, list[float]]:
        """{"epoch": [1, 2, …], "loss": […], …}."""
        return {name: self[name] for name in self.records[-1]} if self.records else {}

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row per epoch. Raises MissingExtraError without pandas."""
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("pandas", "pandas", "History.to_frame()") from None
        return pandas.DataFrame(self.records)
