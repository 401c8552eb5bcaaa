"""The doctor in the room: a callback that looks on while a network learns, and speaks up once."""

from __future__ import annotations

import sys
from typing import Any, TextIO

import numpy as np

from chainrule.arrays import Array, Labels, Samples
from chainrule.configuration import whole_number
from chainrule.doctor.evidence import Evidence, Settings
from chainrule.doctor.facts import Facts, facts_of
from chainrule.doctor.failure import Failure
from chainrule.doctor.finding import Finding, judge
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, SquaredError
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.regularizers import Penalty
from chainrule.training import Callback, Run
from chainrule.training.diagnosis import figures
from chainrule.training.history import Record

SEEN = 2000  # samples on which the share found of each class is measured
QUIET = 4  # epochs for which a finding must last before it is said


class Doctor(Callback):
    """Says once, in two or three lines to standard error, what is wrong with a training, as soon as that is clear.

    The figures of every layer come into the history, as with `Diagnosis`. Nothing is changed: the weights are the same
    bytes with and without a doctor. What is wrong at the end is in `findings`, root cause first.

        doctor = cr.Doctor()
        cr.train(network, data, callbacks=[doctor])
        doctor.findings

    Args:
        validation: what `train` is given too; only then can rows be found that stand in both.
        samples: how many the figures of the layers are measured on.
        file: where to write; standard error where there is none.

    """

    def __init__(
        self, validation: tuple[Any, ...] | None = None, *, samples: int = 256, file: TextIO | None = None
    ) -> None:
        self.samples = whole_number(samples, "Doctor: samples")
        self.findings: tuple[Finding, ...] = ()
        self.spoke = False
        self._validation, self._file = validation, file

    def on_train_start(self, run: Run) -> None:
        self.run, self.spoke, self._since = run, False, 0
        self.findings = ()
        network = run.network
        x, t, _ = run.data
        held_out = None
        if self._validation is not None:
            held_out = network.check_data(self._validation[0], self._validation[1], "validation")
        self._held_out = held_out
        self._classes = network.loss.classes_of(t)
        self.facts: Facts = facts_of(
            network.floats(x),
            t,
            self._classes,
            None if held_out is None else network.floats(held_out[0]),
            measurements=network.body.inputs_below is None,
        )
        self.start = {} if run.step else self._figures_at_start()  # a training that goes on has begun elsewhere

    def on_epoch_end(self, run: Run) -> None:
        run.history.records[-1].update(_finite(figures(run, self.samples)))
        if not self.spoke and run.epoch < run.epochs:
            before, self.findings = self.findings, judge(self.evidence(over=False))
            lasts = [finding.name for finding in self.findings[:1]] == [finding.name for finding in before[:1]]
            self._since = self._since if lasts else run.epoch
            if run.epoch - self._since >= QUIET:
                self._speak(run)

    def on_train_end(self, run: Run) -> None:
        self.findings = judge(self.evidence())
        if not self.spoke:
            self._speak(run)

    def evidence(self, failure: Failure | None = None, *, over: bool = True) -> Evidence:
        """All that is known of the training so far."""
        run = self.run
        return Evidence(
            history=run.history.to_dict(),
            start=self.start,
            chance=chance_loss(run.network, run.data[1]),
            layers=run.network.layers,
            loss=run.network.loss,
            settings=settings_of(
                run.network,
                run.optimizer,
                run.optimizer.learning_rate * run.rate_factor,
                run.steps_per_epoch,
                run.samples,
                run.epochs,
                run.penalty,
                run.data[2] is not None,
            ),
            facts=self.facts,
            recall=self._recall(),
            failure=failure,
            over=over,
        )

    def _figures_at_start(self) -> Record:
        """The figures of the first weights, and their loss."""
        run = self.run
        x, t, w = run.data
        rows = np.linspace(0, len(t) - 1, min(SEEN, len(t))).astype(int)
        loss = run.network.measure(x[rows], t[rows], None if w is None else w[rows])["loss"]
        found = {"loss": loss, **figures(run, self.samples)}
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def _recall(self) -> Array | None:
        """The share found of each class (K,), in the validation data where they have all of them."""
        if self._classes is None:
            return None
        network = self.run.network
        if self._held_out is not None:
            x, t = self._held_out
            classes = network.loss.classes_of(t)
            if classes is not None and len(np.unique(classes)) == len(np.unique(self._classes)):
                return recall_of(network, x, t)
        return recall_of(network, *self.run.data[:2])

    def _speak(self, run: Run) -> None:
        if self.findings:
            first, self.spoke = self.findings[0], True
            file = self._file or sys.stderr
            print(f"Doctor, after epoch {run.epoch}: {first.name}.", file=file)
            print(f"  {first.evidence}\n  What to do: {first.prescription}", file=file, flush=True)


def chance_loss(network: Network, t: Array) -> float | None:
    """The loss of the best answer that is the same for all samples with prepared targets t; None where not known."""
    loss = network.loss
    y = loss.classes_of(t)
    if isinstance(loss, CrossEntropy | BinaryCrossEntropy) and y is not None:
        return entropy(y)
    if isinstance(loss, SquaredError):
        values = np.eye(network.output_shape[0])[t] if t.dtype.kind == "i" else t.reshape(len(t), -1)
        return float(values.var(axis=0, dtype=np.float64).sum() / 2)
    return None


def entropy(y: Labels) -> float:
    """−Σ p log p of the classes y (N,): the cross-entropy of answering with their shares."""
    shares = np.bincount(y) / len(y)
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


def recall_of(network: Network, x: Samples, t: Array) -> Array | None:
    """The share of each class that the network finds (K,), on some of these samples; None if a score is not finite."""
    rows = np.linspace(0, len(t) - 1, min(SEEN, len(t))).astype(int)
    y = network.loss.classes_of(t[rows])
    scores, _ = network.forward(network.floats(x[rows]))
    if y is None or not np.isfinite(scores).all():
        return None
    found = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(int)
    return np.bincount(y[found == y], minlength=y.max() + 1) / np.maximum(1, np.bincount(y))


def settings_of(
    network: Network,
    optimizer: Optimizer,
    rate: float,
    steps_per_epoch: int,
    samples: int,
    epochs: int,
    penalty: Penalty | None,
    class_weights: bool,
) -> Settings:
    """What the rules want to know of the settings of a training."""
    return Settings(
        optimizer=optimizer,
        learning_rate=rate,
        batch_size=-(-samples // steps_per_epoch),
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        penalty=penalty,
        penalty_scale=0.0 if penalty is None else sum(penalty.scales(network.parameters, samples)),
        class_weights=class_weights,
    )


def _finite(record: Record) -> Record:
    """Only what JSON can hold: a figure that is not finite becomes the largest number."""
    return {name: float(np.nan_to_num(value, nan=1e308, posinf=1e308)) for name, value in record.items()}
