"""The perceptron learning rule, from the library's own parts. Source: mission item A3; Rosenblatt 1958."""

from typing import Any

from chainrule.errors import NotSeparableError
from chainrule.initializers import Zeros
from chainrule.layers import Linear
from chainrule.losses import Perceptron
from chainrule.network import Network
from chainrule.optimizers import SGD
from chainrule.training.callbacks import Callback
from chainrule.training.run import Run
from chainrule.training.train import train


class _UntilSeparated(Callback):
    """Stops when every case is decided right; proves that it never will be when the weights repeat.

    The cases come in the same order each epoch, so weights that come back to an earlier value go round for ever.
    For whole-number (or rational) cases that are not separable this must happen (perceptron cycling theorem).
    """

    def on_train_start(self, run: Run) -> None:
        self._seen = {_weights(run)}

    def on_epoch_end(self, run: Run) -> None:
        if run.history.records[-1]["validation_accuracy"] == 1:
            run.stop(f"every case is decided right after {run.epoch} epochs")
        elif _weights(run) in self._seen:
            raise NotSeparableError(
                f"no straight line separates these cases: after {run.epoch} epochs the weights are back at an earlier "
                "value and would go round for ever. A network with a hidden layer can decide them"
            )
        self._seen.add(_weights(run))

    def on_train_end(self, run: Run) -> None:
        if run.history.records[-1]["validation_accuracy"] < 1:
            raise NotSeparableError(
                f"after {run.epochs} epochs some cases are still decided wrong: they are not separable by a straight "
                "line, or only just; more epochs would tell"
            )


def _weights(run: Run) -> bytes:
    return b"".join(W.tobytes() for W in run.network.parameters.values())


def train_perceptron(x: Any, labels: Any, *, epochs: int = 1000) -> Network:
    """Find w and b with w·x + b ≥ 0 exactly for the cases labelled 1, one mistake at a time: w ← w + (t − s) x.

    Args:
        x: cases (N, I).
        labels: 0 or 1 for each case (N,).
        epochs: passes over the cases before giving up.

    Returns:
        A network of one Linear(1); its `predict` gives the decisions (N, 1).

    Raises:
        NotSeparableError: no straight line separates the classes, or none was found in `epochs`.
        DataError, DataTypeError: the cases or labels cannot be used.

    """
    network = Network([Linear(1, weights=Zeros())], loss=Perceptron(), dtype="float64")
    train(
        network,
        (x, labels),
        validation=(x, labels),
        epochs=epochs,
        batch_size=1,
        optimizer=SGD(1.0),
        shuffle=False,
        callbacks=[_UntilSeparated()],
        progress=False,
    )
    return network
