"""`train`: gradient descent over epochs and batches. Source: mission items B3, B6, D1, D16, E5."""

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.arrays import Array, check_finite
from chainrule.configuration import whole_number
from chainrule.data.batches import batches, split
from chainrule.errors import SettingError
from chainrule.network import Network
from chainrule.optimizers import Adam, Optimizer
from chainrule.randomness import stream
from chainrule.training.callbacks import Callback
from chainrule.training.history import History, Record
from chainrule.training.progress import Progress
from chainrule.training.run import Run

Pair = tuple[Array, Array]


def train(
    network: Network,
    data: tuple[Any, Any],
    *,
    validation: tuple[Any, Any] | float | None = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    optimizer: Optimizer = Adam(),
    seed: int | None = 0,
    shuffle: bool = True,
    callbacks: Iterable[Callback] = (),
    progress: bool = True,
) -> History:
    """Teach `network` by descending the mean loss of one batch after another: w ← w − (η/m) Σ ∂L/∂w.

    The weights it has are where it starts, so a second call trains on; the optimizer's memory starts afresh.

    Args:
        network: is changed; built from the data if it has no parameters yet.
        data: (x, targets), x of shape (N, *input_shape).
        validation: (x, targets) to measure after each epoch, or the share of `data` to hold back for it.
        epochs: passes over the data.
        batch_size: samples per step: 1 is stochastic descent, None the full batch.
        optimizer: see `chainrule.optimizers`.
        seed: of the shuffling, of dropout and of the validation share; None for a fresh one.
        shuffle: whether each epoch takes the samples in a new order.
        callbacks: run at the events, in this order.
        progress: whether to print a line per epoch and a live line on a terminal (to standard error).

    Returns:
        The history: one record per epoch.

    Raises:
        SettingError, DataError, DataTypeError: something given cannot be used; the network is as before.
        DivergenceError: a value was no longer finite; names epoch, step, layer and the likely cause.

    """
    if not isinstance(network, Network):
        raise SettingError(f"network: expected a Network, got {network!r}")
    if not isinstance(optimizer, Optimizer):
        raise SettingError(f"optimizer: expected an Optimizer such as SGD(0.1), got {optimizer!r}")
    whole_number(epochs, "epochs")
    training, held_out = _checked_data(network, data, validation, seed)
    size = None if batch_size is None else whole_number(batch_size, "batch_size")
    samples = len(training[0])
    run = Run(network, optimizer, epochs, -(-samples // (size or samples)), samples, _seed_of_layers(seed))
    listeners = [*_checked_callbacks(callbacks), *([Progress()] if progress else [])]
    with contextlib.ExitStack() as leaving:
        leaving.callback(run.complete_step)
        for progress_line in (listener for listener in listeners if isinstance(listener, Progress)):
            leaving.callback(progress_line.close)
        _train(run, training, held_out, size, stream(seed, "shuffle") if shuffle else None, listeners)
    return run.history


def _train(
    run: Run,
    training: Pair,
    held_out: Pair | None,
    batch_size: int | None,
    rng: np.random.Generator | None,
    listeners: list[Callback],
) -> None:
    for listener in listeners:
        listener.on_train_start(run)
    while run.epoch < run.epochs and not run.stopping:
        run.epoch += 1
        if not _epoch(run, training, batch_size, rng, listeners):
            break
        run.history.records.append(_record(run, held_out))
        for listener in listeners:
            listener.on_epoch_end(run)
    run.history.stopped = run.stopping or f"finished {run.epochs} epochs"
    for listener in listeners:
        listener.on_train_end(run)


def _epoch(
    run: Run, training: Pair, batch_size: int | None, rng: np.random.Generator | None, listeners: list[Callback]
) -> bool:
    """One pass over the data; False when a callback stopped it on the way."""
    x, t = training
    seen, loss, right = 0, 0.0, 0
    run.seconds = 0.0
    for rows in batches(len(x), batch_size, rng):
        start = time.perf_counter()
        x_batch, t_batch = x[rows], t[rows]
        cost, f = run.take_step(x_batch, t_batch)
        seen += len(x_batch)
        loss += cost * len(x_batch)
        run.loss = loss / seen
        correct = run.network.loss.correct(f, t_batch)
        if correct is not None:
            right += int(np.count_nonzero(correct))
            run.accuracy = right / seen
        run.seconds += time.perf_counter() - start
        for listener in listeners:
            listener.on_step_end(run)
        if run.stopping and seen < len(x):
            return False
    return True


def _record(run: Run, held_out: Pair | None) -> Record:
    """The figures of the epoch that has just ended."""
    record: Record = {"epoch": run.epoch, "loss": run.loss}
    if run.accuracy is not None:
        record["accuracy"] = run.accuracy
    if held_out is not None:
        record |= {f"validation_{name}": value for name, value in run.network.measure(*held_out).items()}
    return record | {"seconds": run.seconds, "samples_per_second": run.samples / run.seconds}


def _seed_of_layers(seed: int | None) -> int:
    """The seed itself, for what layers draw (dropout), or a fresh one."""
    rng = stream(seed, "layers")  # refuses a wrong seed
    return int(rng.integers(2**63)) if seed is None else int(seed)


def _checked_data(
    network: Network, data: tuple[Any, Any], validation: tuple[Any, Any] | float | None, seed: int | None
) -> tuple[Pair, Pair | None]:
    """Training and validation data as the network takes them."""
    training = network.check_data(*_pair(data, "data"), "training")
    for name, W in network.parameters.items():
        check_finite(W, name)
    if validation is None:
        return training, None
    if isinstance(validation, int | float):
        return split(*training, validation, stream(seed, "validation"))
    return training, network.check_data(*_pair(validation, "validation"), "validation")


def _pair(data: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise SettingError(f"{name}: expected a pair (x, targets), got {type(data).__name__}")
    return data[0], data[1]


def _checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            hint = f"; write {callback.__name__}()" if isinstance(callback, type) else ""
            raise SettingError(f"callbacks: expected Callback objects, got {callback!r}{hint}")
    return found
