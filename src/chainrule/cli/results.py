"""What a network does on a data set: measured, as JSON, and for a person to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.cli.output import confused_lines, confusion_table
from chainrule.data import DataSet
from chainrule.errors import DataError, SettingError
from chainrule.evaluation import ConfusedPair, confusion_matrix, decide, most_confused_pairs, r_squared
from chainrule.network import Network
from chainrule.tabular.column import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Result:
    """The figures on the test samples. Those of classes, or else those of numbers, are None."""

    samples: int
    loss: float
    accuracy: float | None = None
    matrix: Array | None = None
    pairs: tuple[ConfusedPair, ...] = ()
    class_names: tuple[str, ...] | None = None
    r_squared: float | None = None
    mean_absolute_error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON takes them."""
        figures = ("samples", "loss", "accuracy", "r_squared", "mean_absolute_error")
        test = {name: getattr(self, name) for name in figures}
        return {
            "test": test,
            "class_names": None if self.class_names is None else list(self.class_names),
            "confusion_matrix": None if self.matrix is None else self.matrix.tolist(),
            "most_confused_pairs": [asdict(pair) for pair in self.pairs],
        }

    def line(self) -> str:
        """The outcome in one line."""
        if self.accuracy is None:
            r_squared = "unknown" if self.r_squared is None else f"{self.r_squared:.4f}"
            return (
                f"Test loss {self.loss:.4g}, R² {r_squared} on {counted(self.samples, 'sample')}, "
                f"off by {self.mean_absolute_error:.4g} on average"
            )
        right = round(self.accuracy * self.samples)
        many = counted(self.samples, "sample")
        return f"Test accuracy {self.accuracy:.2%} ({right:,} of {many} right), loss {self.loss:.4g}"

    def print(self, screen: Console) -> None:
        """The outcome, the confusion matrix and the most confused pairs."""
        screen.print(self.line(), style="bold")
        if self.matrix is not None and self.class_names is not None:
            screen.print()
            screen.print(confusion_table(self.matrix, list(self.class_names)))
            screen.print("\n".join(confused_lines(list(self.pairs), list(self.class_names))))


def measure(network: Network, data: DataSet) -> Result:
    """The figures of `network` on the test samples of `data`.

    Raises:
        DataError: the network was made for other data.

    """
    x, y = data.test
    network.check_inputs(x, f"the samples of {data.name}")
    if data.class_names is None:
        predicted = network.predict(x)
        spread = len(np.unique(y, axis=0)) > 1  # without it there is no R²
        return Result(
            samples=len(x),
            loss=network.evaluate(x, y)["loss"],
            r_squared=r_squared(y, predicted) if spread else None,
            mean_absolute_error=float(np.abs(y - predicted).mean(dtype=np.float64)),
        )
    classes, apart = len(data.class_names), max(2, network.output_shape[0])
    if apart != classes:
        raise DataError(f"the network tells {apart} classes apart, {data.name} has {classes}")
    figures = network.evaluate(x, y)
    predicted, _ = decide(network.predict(x))
    matrix = confusion_matrix(y, predicted, classes)
    return Result(
        samples=len(x),
        loss=figures["loss"],
        accuracy=float(matrix.trace() / matrix.sum()),
        matrix=matrix,
        pairs=tuple(most_confused_pairs(matrix)),
        class_names=data.class_names,
    )


def data_of(network: Network, asked: str | None) -> str:
    """The data set to measure on: the one asked for, or the one the model says it was trained on."""
    name = asked or network.metadata.get("data")
    if not isinstance(name, str):
        raise SettingError("--data: the model does not say which data it was trained on; name the data set")
    return name
