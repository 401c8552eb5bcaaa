"""Which batch comes next, and how its step is taken: by tape where the network can be recorded, else by Python.

Both give the same bits. A tape is checked against Python, byte for byte, before it is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule import kernels
from chainrule.arrays import Array, Labels, Pixels, Samples
from chainrule.configuration import Configurable
from chainrule.errors import DivergenceError
from chainrule.operations.batches import gather_bytes, gather_rows, shuffled
from chainrule.operations.operation import runs_natively
from chainrule.training.run import Run, Worked

SHUFFLE = 0x73687566  # the random stream that orders rows; layers have others
PLAY = 0.02  # seconds that a tape runs before Python looks at callbacks, progress and Ctrl-C
KEEP = 1.0  # seconds between two copies of the weights that a divergence can go back to
LATER = 1000  # steps from the one recorded to the one on which the tape is compared with Python


class Taken(NamedTuple):
    """Whole steps of one epoch: how many they are, of how many samples, and the sums of that epoch with them.

    "cost" is Σ cost of a batch · its samples, "right" Σ samples decided right (NaN where there is nothing to decide);
    what else is measured is summed up like the cost.
    """

    steps: int
    samples: int
    sums: dict[str, float]  # over the epoch so far


def taken(run: Run, worked: Worked, samples: int) -> Taken:
    """One step that Python has worked out, on so many samples."""
    right = np.nan if worked.right is None else float(worked.right)
    figures = {name: float(value) * samples for name, value in worked.figures.items()}
    step = {"cost": float(worked.cost) * samples, "right": right, **figures}
    return Taken(1, samples, {name: run.sums.get(name, 0.0) + value for name, value in step.items()})


class Steps:
    """The steps of a training on x and t, in batches of `batch_size`, shuffled anew in each epoch where `shuffle`.

    Where the samples count unlike, `w` holds their weights, with a mean of 1.
    """

    def __init__(self, run: Run, x: Samples, t: Array, batch_size: int, shuffle: bool, w: Array | None = None) -> None:
        self._run, self._x, self._t, self._w = run, x, t, w
        self._size = min(batch_size, len(x))
        self._one = np.ones((), run.network.dtype)  # what a byte of 255 becomes
        self._shuffle = shuffle and self._size < len(x)
        self._order, self._ordered = np.arange(len(x)), 0
        self._program = self._recorded() if runs_natively() else None
        self._settings, self._outdated = settings_of(self._run), False
        self._kept_at = float("-inf")

    @property
    def _place(self) -> tuple[int, int]:
        """The epoch of the next step, and how many steps of it are done."""
        epochs, position = divmod(self._run.step, self._run.steps_per_epoch)
        return epochs + 1, position

    def take(self, *, single: bool, last: int) -> list[Taken]:
        """Take one step, or as many as fit into a moment, epoch by epoch; none after the end of epoch `last`.

        Raises DivergenceError at the step whose cost or new weights are not finite; the steps before it stand.
        """
        if self._program is not None and self._is_up_to_date():
            return self._play(self._program, single, last)
        return [self._take_one()]

    def _is_up_to_date(self) -> bool:
        """Whether the program still does what Python would do now.

        Where a callback has changed a setting (a learning rate, say), Python takes the step. Only when that change has
        lasted for a step is a new program worth its time.
        """
        settings = settings_of(self._run)
        if not alike(settings, self._settings):
            self._settings, self._outdated = settings, True
            return False
        if self._outdated:
            self._program, self._outdated = self._recorded(), False
        return self._program is not None

    def _take_one(self) -> Taken:
        """The next step, by Python."""
        rows = self._rows()
        try:
            worked = self._run.take_step(*self._batch(rows))
        except DivergenceError as error:
            error.rows = rows.tolist()
            raise
        return taken(self._run, worked, len(rows))

    def _batch(self, rows: Labels) -> tuple[Array, Array, Array | None]:
        """The samples of a step, their targets and weights; the full batch is the data itself."""

        def picked(array: Array) -> Array:
            return array if len(rows) == len(self._t) else gather_rows(array, rows)

        x = gather_bytes(self._x.bytes, rows, self._one) if isinstance(self._x, Pixels) else picked(self._x)
        return x, picked(self._t), None if self._w is None else picked(self._w)

    def _rows(self) -> Labels:
        """The row numbers of the next batch."""
        epoch, position = self._place
        if self._shuffle and self._ordered != epoch:
            self._order, self._ordered = shuffled(len(self._x), self._run.seed, SHUFFLE, epoch), epoch
        begin = position * self._size
        return self._order[begin : begin + self._size]

    def _play(self, program: kernels.Program, single: bool, last: int) -> list[Taken]:
        """Steps by tape. Where a value is not finite, Python takes the step again and says so."""
        run = self._run
        self._keep(single)
        self._counter.value = run.step
        sums = [run.sums.get(name, 0.0) for name in self._watched]
        try:
            _, _, rows, finite = program.play(
                *self._place, last, 0.0 if single else PLAY, self._counter, self._rate, sums
            )
        finally:  # also where Ctrl-C was pressed in the middle of a step
            run.step = int(self._counter.value)
        if not all(np.isfinite(W).all() for W in run.network.arrays.values()):
            self._go_back()
            while True:
                run.epoch, _ = self._place
                self._take_one()
        if not finite and not rows:
            return [self._take_one()]
        return [Taken(steps, samples, dict(zip(self._watched, sums, strict=False))) for steps, samples, sums in rows]

    def _keep(self, single: bool) -> None:
        """Keep a copy of the weights from time to time, and wherever a callback may just have changed them."""
        now = time.perf_counter()
        if single or self._place[1] == 0 or now - self._kept_at > KEEP:
            self._kept_at = now
            arrays = {**self._run.network.arrays, **self._run.slot_arrays}
            self._kept = {name: a.copy() for name, a in arrays.items()}, self._run.step

    def _go_back(self) -> None:
        """To the weights that were kept: from there Python finds the step whose update was not finite."""
        self._run.promise(*self._kept)
        self._run.complete_step()

    def _recorded(self) -> kernels.Program | None:
        """The program of this training, or None where a layer, loss or optimizer cannot be recorded."""
        run, samples = self._run, len(self._x)
        if not _recordable(run):
            return None
        before = [np.copy(one) if isinstance(one, np.ndarray) else one for one in settings_of(run)]
        self._counter, self._rate = kernels.Cell(), kernels.Cell()
        program = kernels.Program(samples, self._size, self._shuffle, run.seed, SHUFFLE)
        if run.schedule is None:
            program.rates(np.array([run.rate_at(1)]))
        else:
            program.rates(np.array([run.rate_at(step) for step in range(1, run.epochs * run.steps_per_epoch + 1)]))
        for size in {self._size, samples % self._size or self._size}:
            index = np.arange(size)
            try:
                tape = self._record(index)
            except Exception:  # a layer that needs the number of the step; or an error that Python will meet again
                return None
            if tape is None:
                return None
            program.use(tape, index)
        return program if alike(before, settings_of(run)) else None  # else a layer keeps something from it

    def _record(self, index: Labels) -> kernels.Tape | None:
        """One step on the rows of `index`, recorded, compared with Python on another step, and undone."""
        run, tape = self._run, kernels.Tape()
        live = {**run.network.arrays, **run.slot_arrays}
        constants = run.network.loss.constants(run.network.output_shape, run.network.dtype)
        x = self._x.bytes if isinstance(self._x, Pixels) else self._x
        for array in (x, self._t, self._w, self._one, index, run.network.dJ, *constants, *live.values()):
            if array is not None:
                tape.know(array)
        self._counter.value, self._rate.value = run.step + 1, run.rate_at(run.step + 1)
        tape.start()
        try:
            cost, right, updated, figures = run.work_out(*self._batch(index), self._counter, self._rate)
        finally:
            tape.stop()
        watched = {"cost": cost, "right": right, **figures}
        given = {name: value for name, value in watched.items() if value is not None}
        if tape.failure or not all(isinstance(value, np.ndarray) for value in given.values()) or not tape.guard(cost):
            return None
        self._watched = tuple(watched)
        for name, value in given.items():
            tape.watch(self._watched.index(name), value)
        if not all(tape.assign(live[name], array) for name, array in run.named(updated).items()):
            return None
        tape.fuse()
        return tape if self._agrees(tape, index, live) else None

    def _agrees(self, tape: kernels.Tape, index: Labels, live: dict[str, Array]) -> bool:
        """Whether the tape writes the bytes that Python works out, on other rows and in a later step.

        So what a layer drew or decided in the recorded step, which a tape would repeat for ever, comes to light.
        """
        run, size, samples = self._run, self._size, len(self._x)
        position = samples // size - (len(index) == size)
        batch = self._batch(index + position * size)
        rate = run.rate_at(run.step + LATER)
        expected = run.named(run.work_out(*batch, run.step + LATER, rate).updated)
        trial = kernels.Program(samples, size, False, 0, 0)
        trial.use(tape, index)
        trial.rates(np.array([rate]))
        self._counter.value = run.step + LATER - 1
        run.promise({name: array.copy() for name, array in live.items()}, run.step)
        try:
            finite = trial.play(1, position, 1, 0.0, self._counter, self._rate)[3]
            return finite and all(live[name].tobytes() == array.tobytes() for name, array in expected.items())
        finally:
            run.complete_step()


def _parts(run: Run) -> Iterator[Any]:
    """What layers, loss, optimizer and the rest are made of, level by level, and they themselves."""
    network = run.network
    parts = network.body, network.loss, run.optimizer, run.schedule, run.penalty, run.clip, run.rate_factor
    waiting, seen = list[Any]((*parts, network.frozen)), set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple | list):
            waiting.extend(part)
        elif not isinstance(part, Configurable):
            yield part
        elif id(part) not in seen:
            seen.add(id(part))
            waiting.extend(vars(part).values())
            yield part


def settings_of(run: Run) -> list[Any]:
    """All numbers, texts, arrays … in them: a tape takes these for unchanging."""
    return [part for part in _parts(run) if not isinstance(part, Configurable)]


def _recordable(run: Run) -> bool:
    """Whether none of them says that a tape must not be used. It keeps all buffers, so not where memory is short."""
    return run.at_a_time is None and all(part.recordable for part in _parts(run) if isinstance(part, Configurable))


def alike(old: list[Any], new: list[Any]) -> bool:
    """Whether two lists of settings are the same: the same objects, or equal numbers, texts and arrays."""
    plain = int | float | str | np.ndarray
    return len(old) == len(new) and all(
        a is b or (isinstance(a, plain) and isinstance(b, plain) and np.array_equal(a, b))
        for a, b in zip(old, new, strict=True)
    )
