"""`train`: gradient descent over epochs and batches. Source: mission items B3, B6, D1, D16, E5."""

import contextlib
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from chainrule.arrays import Array, Samples, check_finite
from chainrule.configuration import real_number, whole_number
from chainrule.data.splitting import split
from chainrule.errors import SettingError
from chainrule.files import Pathlike
from chainrule.network import Network
from chainrule.network.weights import as_sample_weights
from chainrule.optimizers import LBFGS, Adam, Clip, Optimizer
from chainrule.randomness import stream
from chainrule.regularizers import Penalty
from chainrule.schedules import Schedule
from chainrule.training.callbacks import Callback
from chainrule.training.checkpoint import Checkpoint, Keeper, as_checkpoint, digest
from chainrule.training.full_batch import FullBatchSteps
from chainrule.training.history import History, Record
from chainrule.training.progress import Progress
from chainrule.training.run import Data, Run
from chainrule.training.steps import Steps

EXAMPLES = {Penalty: "L2(0.001)", Clip: "ClipNorm(1.0)"}


def train(
    network: Network,
    data: tuple[Any, Any],
    *,
    validation: tuple[Any, ...] | float | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    optimizer: Optimizer = Adam(),
    schedule: Schedule | None = None,
    penalty: Penalty | None = None,
    clip: Clip | None = None,
    accumulate: int = 1,
    average: float | None = None,
    seed: int | None = 0,
    shuffle: bool = True,
    callbacks: Iterable[Callback] = (),
    checkpoint: Checkpoint | Pathlike | None = None,
    resume: bool = False,
    progress: bool = True,
) -> History:
    """Teach `network` by descending the mean loss of one batch after another: w ← w − (η/m) Σ ∂L/∂w.

    The weights it has are where it starts, so a second call trains on; the optimizer's memory starts afresh.

    Args:
        network: is changed; built from the data if it has no parameters yet.
        data: (x, targets), x of shape (N, *input_shape), an array or Pixels.
        validation: (x, targets) or (x, targets, sample_weight) to measure after each epoch, or the share of `data` to
            hold back for it.
        sample_weight: how much each sample counts in the loss (N,), 0 or more; None: all alike.
        class_weight: how much each class counts in the loss, in training and validation: {class: weight}, others 1; an
            array (K,); or "balanced", as if each class had as many samples. Weights multiply, are brought to a mean of
            1, and do not touch the accuracy.
        epochs: passes over the data.
        batch_size: samples per step: 1 is stochastic descent, None the full batch, which LBFGS needs.
        optimizer: see `chainrule.optimizers`.
        schedule: how the optimizer's learning rate changes in the course of all epochs; None keeps it.
        penalty: on large weights, such as L2(0.001); "loss" in the history is then "data_loss" + "penalty", while
            validation figures are those of the data alone.
        clip: how gradients (with that of the penalty) are kept small, such as ClipNorm(1.0).
        accumulate: how many batches go into one step, whose gradients are summed: 4 batches of 32 make the step of a
            batch of 128 (but for rounding, and for layers that look at their whole batch) in the memory of 32.
        average: how much a running mean of the weights keeps of itself in each step, such as 0.999: the weights of k
            steps ago count 0.999ᵏ. The network has that mean at the end, and in the validation after each epoch.
        seed: of the shuffling, of dropout and of the validation share; None for a fresh one.
        shuffle: whether each epoch takes the samples in a new order.
        callbacks: run at the events, in this order.
        checkpoint: the path of a file in which the training writes every minute how far it has come, or a Checkpoint
            that says how often; None for none.
        resume: whether to go on from where the checkpoint is, if it is there: the same call then gives the same bytes
            as if nothing had come between. The weights that `network` has are replaced.
        progress: whether to print a line per epoch and a live line on a terminal (to standard error).

    Returns:
        The history: one record per epoch.

    Raises:
        SettingError, DataError, DataTypeError: something given cannot be used; the network is as before.
        DivergenceError: a value was no longer finite; names epoch, step, layer and the likely cause.
        KeyboardInterrupt: Ctrl-C; the step at hand is left undone, the network is as after the last whole step.
        OSError: the checkpoint cannot be written or read.
        ModelFileError: the file at its path is damaged, or no checkpoint.

    """
    if not isinstance(network, Network):
        raise SettingError(f"network: expected a Network, got {network!r}")
    if not isinstance(optimizer, Optimizer):
        raise SettingError(f"optimizer: expected an Optimizer such as SGD(0.1), got {optimizer!r}")
    if schedule is not None and not isinstance(schedule, Schedule):
        raise SettingError(f"schedule: expected a Schedule such as OneCycle(), got {schedule!r}")
    for value, kind, name in ((penalty, Penalty, "penalty"), (clip, Clip, "clip")):
        if value is not None and not isinstance(value, kind):
            raise SettingError(f"{name}: expected a {kind.__name__} such as {EXAMPLES[kind]}, got {value!r}")
    whole_number(epochs, "epochs")
    (x, t, w), held_out = _checked_data(network, data, validation, seed, sample_weight, class_weight)
    if network.parameters and len(network.frozen) == len(network.parameters):
        raise SettingError("network: all parameters are frozen; network.unfreeze() some")
    samples = len(x)
    size, at_a_time = _sizes(batch_size, accumulate, samples)
    run = Run(
        network,
        optimizer,
        epochs,
        -(-samples // size),
        samples,
        (x, t, w),
        _seed_of_layers(seed),
        schedule,
        penalty,
        clip,
        at_a_time,
        None if average is None else real_number(average, "average", below=1.0),
    )
    listeners = [*_checked_callbacks(callbacks), *([Progress()] if progress else [])]
    keeper = None
    if checkpoint is not None:
        if seed is None:
            raise SettingError("checkpoint: a training that can be resumed needs a seed, got seed=None")
        settings = {
            "input_shape": network.input_shape,
            "dtype": network.dtype.name,
            "batch_size": size,
            "at_a_time": at_a_time,
            "average": run.average,
            "shuffle": bool(shuffle),
            "seed": int(seed),
            "epochs": int(epochs),
            "data": digest(x, t, w),
            "validation": held_out and digest(*held_out),
        }
        keeper = Keeper(as_checkpoint(checkpoint), run, settings, listeners)
        keeper.begin(resume)
    elif resume:
        raise SettingError("resume: say from where, with checkpoint=")
    with contextlib.ExitStack() as leaving:
        leaving.callback(run.complete_step)
        for progress_line in (listener for listener in listeners if isinstance(listener, Progress)):
            leaving.callback(progress_line.close)
        _train(run, _steps(run, x, t, w, size, shuffle), held_out, listeners, keeper)
    return run.history


def _sizes(batch_size: int | None, accumulate: int, samples: int) -> tuple[int, int | None]:
    """How many samples a step takes, and how many of them go through the network together; None: all."""
    batches = whole_number(accumulate, "accumulate")
    if batch_size is None:
        if batches > 1:
            raise SettingError("accumulate: the full batch is one step already; pass batch_size=, how many at a time")
        return samples, None
    size = whole_number(batch_size, "batch_size")
    return size * batches, size if batches > 1 else None


def _steps(run: Run, x: Samples, t: Array, w: Array | None, batch_size: int, shuffle: bool) -> Steps | FullBatchSteps:
    """How the optimizer takes its steps."""
    if not isinstance(run.optimizer, LBFGS):
        return Steps(run, x, t, batch_size, shuffle, w)
    if batch_size < len(x):
        raise SettingError("LBFGS compares costs of all samples: pass batch_size=None")
    if run.clip is not None:
        raise SettingError("clip: LBFGS finds the length of its steps by itself, from the gradients as they are")
    if run.average is not None:
        raise SettingError("average: LBFGS goes straight to a minimum; a mean of its steps would be behind them")
    return FullBatchSteps(run, run.optimizer, run.network.floats(x), t, w)


def _train(
    run: Run, steps: Steps | FullBatchSteps, held_out: Data | None, listeners: list[Callback], keeper: Keeper | None
) -> None:
    each_step, each_epoch = (
        _listens(listeners, "on_step_end"),
        held_out is not None or _listens(listeners, "on_epoch_end"),
    )
    for listener in listeners:
        listener.on_train_start(run)
    if run.epoch == 0:
        run.begin_epoch()
    if keeper is not None:
        keeper.start()
    while run.epoch <= run.epochs and not run.stopping:
        start = time.perf_counter()
        taken = steps.take(single=each_step, last=run.epoch if each_epoch else run.epochs)
        seconds = (time.perf_counter() - start) / sum(some.steps for some in taken)
        for some in taken:
            run.count(some.samples, some.sums)
            run.seconds += seconds * some.steps
            if run.seen == run.samples:
                _end_epoch(run, held_out, listeners, each_step)
        for listener in listeners:
            if run.seen and each_step:
                listener.on_step_end(run)
            listener.on_pause(run)
        if keeper is not None:
            keeper.keep()
    if keeper is not None:
        keeper.write()
    run.epoch -= not run.seen  # the next epoch had not begun
    run.put_averages()
    run.history.stopped = run.stopping or f"finished {run.epochs} epochs"
    for listener in listeners:
        listener.on_train_end(run)


def _end_epoch(run: Run, held_out: Data | None, listeners: list[Callback], each_step: bool) -> None:
    if each_step:
        for listener in listeners:
            listener.on_step_end(run)
    if run.average is None:
        _measure(run, held_out, listeners)
    else:
        with run.with_averages():
            _measure(run, held_out, listeners)
    run.begin_epoch()


def _measure(run: Run, held_out: Data | None, listeners: list[Callback]) -> None:
    run.history.records.append(_record(run, held_out))
    for listener in listeners:
        listener.on_epoch_end(run)


def _listens(listeners: list[Callback], event: str) -> bool:
    """Whether a callback other than the progress line wants to hear each of these events."""
    default = getattr(Callback, event)
    return any(getattr(type(one), event) is not default and not isinstance(one, Progress) for one in listeners)


def _record(run: Run, held_out: Data | None) -> Record:
    """The figures of the epoch that has just ended."""
    record: Record = {"epoch": run.epoch, "loss": run.loss}
    if (accuracy := run.accuracy) is not None:
        record["accuracy"] = accuracy
    if len(run.sums) > 2:  # more than cost and decisions
        record |= run.figures
    if held_out is not None:
        record |= {f"validation_{name}": value for name, value in run.network.measure(*held_out).items()}
    record |= {"seconds": run.seconds, "samples_per_second": run.samples / run.seconds}
    return record


def _seed_of_layers(seed: int | None) -> int:
    """The seed itself (its low 64 bits), for what layers draw (dropout), or a fresh one."""
    rng = stream(seed, "layers")  # refuses a wrong seed
    return int(rng.integers(2**63)) if seed is None else int(seed) % 2**64


def _checked_data(
    network: Network,
    data: tuple[Any, Any],
    validation: tuple[Any, ...] | float | None,
    seed: int | None,
    sample_weight: Any,
    class_weight: Any,
) -> tuple[Data, Data | None]:
    """Training and validation data as the network takes them."""
    x, t = network.check_data(*_pair(data, "data"), "training")
    w = as_sample_weights(sample_weight, len(x), "sample_weight")
    for name, W in network.arrays.items():
        check_finite(W, name)
    held_out = None
    if isinstance(validation, int | float):
        rows = np.arange(len(x))
        (kept, _), (held, _) = split(rows, rows, validation, stream(seed, "validation"))
        held_out = x[held], t[held], None if w is None else w[held]
        x, t, w = x[kept], t[kept], None if w is None else w[kept]
    elif validation is not None:
        pair, w_held = _pair_and_weights(validation)
        held_out = *network.check_data(*pair, "validation"), w_held
    by_class = network.check_class_weights(class_weight, t, w, "class_weight")
    training = x, t, network.check_weights(t, w, by_class, "training")
    if held_out is not None:
        held_out = *held_out[:2], network.check_weights(held_out[1], held_out[2], by_class, "validation")
    return training, held_out


def _pair(data: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise SettingError(f"{name}: expected a pair (x, targets), got {type(data).__name__}")
    return data[0], data[1]


def _pair_and_weights(validation: Any) -> tuple[tuple[Any, Any], Any]:
    if isinstance(validation, tuple | list) and len(validation) == 3:
        return (validation[0], validation[1]), validation[2]
    return _pair(validation, "validation"), None


def _checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            hint = f"; write {callback.__name__}()" if isinstance(callback, type) else ""
            raise SettingError(f"callbacks: expected Callback objects, got {callback!r}{hint}")
    return found
