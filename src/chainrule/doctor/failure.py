"""Where a value first was not finite: layer, operation, sample; kept in a small file, and seen again from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array, Labels
from chainrule.errors import DivergenceError, ModelFileError
from chainrule.explain.passes import Stretch, take_pass
from chainrule.files import Pathlike
from chainrule.layers import Context, Layer
from chainrule.losses import Loss
from chainrule.network import Network
from chainrule.network.model_file import read_tensors, write_tensors
from chainrule.operations import Call, recorded_calls
from chainrule.optimizers import LBFGS, Optimizer
from chainrule.regularizers import Penalty
from chainrule.training import Run


@dataclass(frozen=True)
class Failure:
    """Layer, operation, step and sample where a value first was not finite.

    Args:
        epoch: counted from 1.
        step: of the training, from 1.
        layer: such as "layer 2 (Linear)", "the loss (Poisson)" or "the update of layers.0.W".
        operation: whose result was not finite though all that went in was; "" where none was found.
        largest: the largest number, in size, that went in.
        sample: the row of the training data; None where the result is not that of single samples.

    """

    epoch: int
    step: int
    layer: str
    operation: str = ""
    largest: float = 0.0
    sample: int | None = None


@dataclass(frozen=True)
class FailedStep:
    """The step of a training that could not be taken: all that it depends on.

    Args:
        network: with the weights before the step.
        optimizer: of the training.
        penalty: of the training.
        slots: what the optimizer remembered, by the names of `Run.slot_arrays`.
        x: the batch (B, …).
        t: its prepared targets (B, …).
        rows: where these samples stand in the training data (B,).
        epoch: from 1.
        number: of the step, from 1.
        rate: the learning rate.
        seed: of what layers draw.
        samples: how many there are in the training data.

    """

    network: Network
    optimizer: Optimizer
    penalty: Penalty | None
    slots: dict[str, Array]
    x: Array
    t: Array
    rows: Labels
    epoch: int
    number: int
    rate: float
    seed: int
    samples: int

    def failure(self) -> Failure:
        """Take the step again, operation by operation, until a result is not finite."""
        for stretch in self._stretches():
            for call in stretch.calls:
                if _made_it(call):
                    return Failure(
                        self.epoch, self.number, _name(stretch), call.operation.name, _largest(call), self._sample(call)
                    )
        return Failure(self.epoch, self.number, "a place that was not found")

    def save(self, path: Pathlike) -> None:
        """Write it to a safetensors file, from which `replay` takes the step again. Raises OSError."""
        arrays = {**self.network.arrays, **self.slots, "batch x": self.x, "batch t": self.t, "batch rows": self.rows}
        write_tensors(
            path,
            {name: _storable(array) for name, array in arrays.items()},
            {
                "failed_step": 1,
                "layers": [layer.configuration() for layer in self.network.layers],
                "loss": self.network.loss.configuration(),
                "dtype": self.network.dtype.name,
                "frozen": list(self.network.frozen),
                "optimizer": self.optimizer.configuration(),
                "penalty": None if self.penalty is None else self.penalty.configuration(),
                **{name: getattr(self, name) for name in NUMBERS},
            },
        )

    def _stretches(self) -> Iterator[Stretch]:
        """What is worked out in the step, in this order: forward, loss, backward, penalty, update."""
        network, parameters = self.network, self.network.parameters
        with np.errstate(all="ignore"):
            taken = take_pass(network, self.x, self.t, Context(True, self.seed, self.number), lowest=0)
            yield from taken.stretches
            gradients = {name: dW for name, dW in taken.gradients.items() if name not in network.frozen}
            if self.penalty is not None:
                with recorded_calls() as calls:
                    gradients = self.penalty.add_to(taken.J, gradients, parameters, self.samples, network.dJ).gradients
                yield Stretch("update", "the penalty", type(self.penalty).__name__, calls)
            if isinstance(self.optimizer, LBFGS):
                return  # it only goes where the cost is finite
            for name, dW in gradients.items():
                W = parameters[name]
                slots = tuple(self.slots[f"slot {i} of {name}"] for i in range(len(self.optimizer.first_slots(W))))
                with recorded_calls() as calls:
                    self.optimizer.update(W, dW, slots, self.number, self.rate)
                yield Stretch("update", f"the update of {name}", type(self.optimizer).__name__, calls)

    def _sample(self, call: Call) -> int | None:
        """The first sample of the batch whose result was not finite, as a row of the training data."""
        for result in _arrays(call.result):
            bad = ~np.isfinite(result)
            if bad.any() and result.ndim and len(result) == len(self.rows):
                return int(self.rows[bad.reshape(len(result), -1).any(axis=1).argmax()])
        return None


NUMBERS = ("epoch", "number", "rate", "seed", "samples")


def failed_step(run: Run, error: DivergenceError) -> FailedStep:
    """The step at which a training has just stopped with `error`."""
    x, t, _ = run.data
    rows = np.arange(len(t)) if error.rows is None else np.asarray(error.rows)
    return FailedStep(
        network=run.network,
        optimizer=run.optimizer,
        penalty=run.penalty,
        slots=run.slot_arrays,
        x=run.network.floats(x[rows]),
        t=t[rows],
        rows=rows,
        epoch=error.epoch,
        number=error.step,
        rate=run.rate_at(error.step),
        seed=run.seed,
        samples=run.samples,
    )


def load_failed_step(path: Pathlike) -> FailedStep:
    """The step that `FailedStep.save` wrote to `path`.

    Raises:
        ModelFileError: another kind of file, or a damaged one.
        SettingError: it names a layer, a loss or an optimizer that this program does not know: import yours first.
        OSError: no such file, or it may not be read.

    """
    about, arrays = read_tensors(path)
    if about.get("failed_step") != 1:
        raise ModelFileError(f"{path}: expected the failed step of a training, got another kind of file")
    x, t, rows = (arrays.pop(f"batch {name}") for name in ("x", "t", "rows"))
    layers = [Layer.from_configuration(layer) for layer in about["layers"]]
    network = Network(layers, Loss.from_configuration(about["loss"]), dtype=about["dtype"]).build(x.shape[1:])
    for name, array in network.arrays.items():
        array[...] = arrays.pop(name)
    network.freeze(*about["frozen"])
    return FailedStep(
        network=network,
        optimizer=Optimizer.from_configuration(about["optimizer"]),
        penalty=None if about["penalty"] is None else Penalty.from_configuration(about["penalty"]),
        slots=arrays,
        x=x,
        t=t,
        rows=rows,
        **{name: about[name] for name in NUMBERS},
    )


def replay(path: Pathlike) -> Failure:
    """Take the step in the file at `path` again, and say where a value is not finite first; see `load_failed_step`."""
    return load_failed_step(path).failure()


def _arrays(value: object) -> list[Array]:
    """The arrays of numbers in what an operation took or gave."""
    parts = value if isinstance(value, tuple | list) else (value,)
    found = [np.asarray(part) for part in parts if isinstance(part, np.ndarray | np.generic | float | int)]
    return [array for array in found if array.dtype.kind == "f"]


def _made_it(call: Call) -> bool:
    """Whether all that went in was finite, and the result is not."""
    return _finite(tuple(call.arguments.values())) and not _finite(call.result)


def _finite(value: object) -> bool:
    return all(bool(np.isfinite(array).all()) for array in _arrays(value))


def _largest(call: Call) -> float:
    return max((float(np.abs(a).max(initial=0)) for a in _arrays(tuple(call.arguments.values()))), default=0.0)


def _name(stretch: Stretch) -> str:
    """Where it happened, in words."""
    if stretch.place == "loss":
        return f"the loss ({stretch.kind})"
    if stretch.phase == "update":
        return f"{stretch.place} ({stretch.kind})"
    where = f"layer {stretch.place.removeprefix('layers.')} ({stretch.kind})"
    return where if stretch.phase == "forward" else f"the way back through {where}"


def _storable(array: Array) -> Array:
    return array.astype(np.int64) if array.dtype.kind in "iu" else array
