"""A thread of its own that trains: steps, runs, pauses, goes back. It calls `train` like everybody else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from chainrule.arrays import Array
from chainrule.errors import ChainruleError, DivergenceError
from chainrule.network import Network
from chainrule.playground.building import batch_size, make_optimizer, make_penalty
from chainrule.playground.data import Problem
from chainrule.playground.settings import Settings
from chainrule.training import Callback, GoOnFrom, Run, Snapshot, train

EPOCHS = 10**9  # of a run: it ends when it is told to
KEEP_EVERY = 0.1  # seconds at full speed between two states that are kept
MOST_KEPT = 512
MOST_BYTES = 2**26  # of all that is kept
LOOK_UP = 0.02  # seconds after which a run that waits sees an order
LATE = 0.1  # seconds that a run makes up for
LONGEST = 1800.0  # seconds that a training runs while nobody asks for anything


@dataclass(frozen=True)
class Segment:
    """One call of `train`: with which settings, and after how many steps it ended (or stands now)."""

    settings: Settings
    steps: int


@dataclass(frozen=True)
class Kept:
    """A state to go back to: the calls of `train` up to there, and where the last of them stood."""

    segments: tuple[Segment, ...]
    snapshot: Snapshot | None  # None before the first step
    weights: dict[str, Array]

    @property
    def steps(self) -> int:
        """Of all calls together."""
        return sum(segment.steps for segment in self.segments)

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return self.snapshot.bytes if self.snapshot else sum(W.nbytes for W in self.weights.values())


@dataclass(frozen=True)
class Moment:
    """What a page is shown: the weights after so many steps, as copies."""

    weights: dict[str, Array]
    steps: int
    epochs: float  # passes over the data, all calls of `train` together
    running: bool
    trouble: str = ""  # why training stopped by itself


class Trainer:
    """Trains one network in a thread. Orders are carried out one after the other; a new one ends a run.

    Args:
        network: built, with its first weights; belongs to the thread until `close`.
        problem: what it learns.
        settings: how.
        tell: called in the thread whenever there is a new moment to be seen.

    """

    def __init__(self, network: Network, problem: Problem, settings: Settings, tell: Callable[[], None]) -> None:
        self._network, self._problem, self._tell = network, problem, tell
        self._settings = settings
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._now = Kept((), None, _copies(network))
        self._kept = [self._now]
        self._diverged = False
        self.moment = Moment(self._now.weights, 0, 0.0, False)
        self._thread = threading.Thread(target=self._work, name="playground training", daemon=True)
        self._thread.start()

    def run(self, pace: float | None) -> None:
        """Train until the next order: so many steps a second, or None for as fast as can be."""
        self._orders.put(lambda: self._train(self._settings, pace=pace))

    def pause(self) -> None:
        """End a run."""
        self._orders.put(self.show)

    def step(self) -> None:
        """Take one step."""
        self._orders.put(lambda: self._train(self._settings, steps=1))

    def sample(self) -> None:
        """Take one step on a single sample, the next one in the order of a training with batches of 1."""
        self._orders.put(lambda: self._train(replace(self._settings, batch=1), steps=1))

    def back(self) -> None:
        """Undo the last step."""
        self._orders.put(self._go_back)

    def again(self) -> None:
        """Back to the first weights."""
        self._orders.put(self._begin_again)

    def change(self, settings: Settings) -> None:
        """Go on with other settings of the training, from the weights as they are."""

        def order() -> None:
            self._settings, self._diverged = settings, False
            self.show()

        self._orders.put(order)

    def close(self) -> None:
        """End the thread, as soon as the step at hand is done."""
        self._orders.put(None)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread to end; whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def is_wanted(self) -> bool:
        """Whether there is another order."""
        return not self._orders.empty()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The calls of `train` that made the weights of now."""
        return self._now.segments

    def trail(self) -> list[dict[str, Array]]:
        """The weights on the way to those of now, from the first ones on, as far as they are kept."""
        return [kept.weights for kept in list(self._kept)]

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order()
            except ChainruleError as error:
                self.show(str(error))

    def _train(self, settings: Settings, *, steps: int | None = None, pace: float | None = None) -> None:
        """Some steps more, or until the next order."""
        if self._diverged:
            return
        before = self._now.segments
        goes_on = bool(before) and (before[-1].settings == settings or before[-1].steps == 0)
        done = before[-1].steps if goes_on else 0
        before = before[:-1] if goes_on else before
        try:
            if steps is None:
                self._call(_FullSpeed(self, before, settings) if pace is None else _Pace(self, before, settings, pace))
            else:
                self._call_until(done, done + steps, before, settings)
            self.show()
        except DivergenceError as error:
            self._diverged = True
            self.show(str(error))

    def _call_until(self, done: int, goal: int, before: tuple[Segment, ...], settings: Settings) -> None:
        """From step `done` of a call to step `goal`: whole epochs at full speed, then single steps."""
        per_epoch = -(-len(self._problem.train[0]) // _size(settings, len(self._problem.train[0])))
        epochs = goal // per_epoch
        if epochs > done // per_epoch:
            self._call(_Watcher(self, before, settings), epochs)
        if goal % per_epoch:
            self._call(_Count(self, before, settings, goal))

    def _call(self, watcher: _Watcher, epochs: int = EPOCHS) -> None:
        """`train`, from where the last call with these settings ended, if there is one."""
        segments, settings = self._now.segments, watcher.settings
        goes_on = self._now.snapshot and segments[-1].settings == settings
        callbacks = [GoOnFrom(self._now.snapshot), watcher] if goes_on and self._now.snapshot else [watcher]
        try:
            train(
                self._network,
                self._problem.train,
                epochs=epochs,
                batch_size=batch_size(settings, self._problem),
                optimizer=make_optimizer(settings),
                penalty=make_penalty(settings),
                seed=settings.seed,
                callbacks=callbacks,
                progress=False,
            )
        finally:
            watcher.take_down()

    def _go_back(self) -> None:
        """To the last state that is kept before the step, and from there forward to just before it."""
        goal = self._now.steps - 1
        if goal < 0:
            self.show()
            return
        self._diverged = False
        while len(self._kept) > 1 and self._kept[-1].steps > goal:
            self._kept.pop()
        last = self._now.segments[-1]
        self._put(self._kept[-1])
        if self._now.steps < goal:
            self._train(last.settings, steps=goal - self._now.steps)
        else:
            self.show()

    def _begin_again(self) -> None:
        self._kept = self._kept[:1]
        self._diverged = False
        self._put(self._kept[0])
        self.show()

    def _put(self, kept: Kept) -> None:
        for name, W in self._network.arrays.items():
            W[...] = kept.weights[name]
        self._now = kept

    def note(self, kept: Kept, *, keep: bool) -> None:
        """Where the training stands now; in the list of what can be gone back to as well, unless it is there."""
        self._now = kept
        if keep and (not self._kept or self._kept[-1].segments != kept.segments):
            self._kept.append(kept)
            if len(self._kept) > MOST_KEPT or sum(one.bytes for one in self._kept) > MOST_BYTES:
                self._kept = self._kept[:1] + self._kept[1:-1:2] + self._kept[-1:]

    def show(self, trouble: str = "", *, running: bool = False) -> None:
        """Let the page see where the training stands."""
        kept = self._now
        samples = len(self._problem.train[0])
        seen = sum(segment.steps * _size(segment.settings, samples) for segment in kept.segments)
        self.moment = Moment(kept.weights, kept.steps, seen / samples, running, trouble)
        self._tell()


class _Watcher(Callback):
    """What goes on during one call of `train`."""

    def __init__(self, trainer: Trainer, before: tuple[Segment, ...], settings: Settings) -> None:
        self._trainer, self._before, self.settings = trainer, before, settings
        self._run: Run | None = None

    def on_train_start(self, run: Run) -> None:
        self._run = run
        self._next = self._kept_at = time.monotonic()
        self._ends_at = self._next + LONGEST

    def take_down(self, *, keep: bool = True) -> None:
        """Note where this training stands."""
        if (run := self._run) is not None:
            segments = (*self._before, Segment(self.settings, run.step))
            self._trainer.note(Kept(segments, Snapshot.of(run), _copies(run.network)), keep=keep)

    def look_up(self, run: Run) -> None:
        """End the run where there is another order, or nobody has asked for anything in a long time."""
        if self._trainer.is_wanted or time.monotonic() > self._ends_at:
            run.stop("paused")


class _FullSpeed(_Watcher):
    """Nothing is done between steps, but in the pauses of the tape."""

    def on_pause(self, run: Run) -> None:
        del run.history.records[:-1]
        now = time.monotonic()
        keep = now - self._kept_at > KEEP_EVERY
        self._kept_at = now if keep else self._kept_at
        self.take_down(keep=keep)
        self._trainer.show(running=True)
        self.look_up(run)


class _Pace(_Watcher):
    """So many steps a second; each is kept."""

    def __init__(self, trainer: Trainer, before: tuple[Segment, ...], settings: Settings, pace: float) -> None:
        super().__init__(trainer, before, settings)
        self._between = 1 / pace

    def on_step_end(self, run: Run) -> None:
        self.take_down()
        self._trainer.show(running=True)
        self.look_up(run)
        self._next += self._between
        while not run.stopping and (wait := self._next - time.monotonic()) > 0:
            time.sleep(min(wait, LOOK_UP))
            self.look_up(run)
        self._next = max(self._next, time.monotonic() - LATE)


class _Count(_Watcher):
    """Until a certain step."""

    def __init__(self, trainer: Trainer, before: tuple[Segment, ...], settings: Settings, until: int) -> None:
        super().__init__(trainer, before, settings)
        self._until = until

    def on_step_end(self, run: Run) -> None:
        if run.step == self._until:
            run.stop("done")


def _copies(network: Network) -> dict[str, Array]:
    return {name: W.copy() for name, W in network.arrays.items()}


def _size(settings: Settings, samples: int) -> int:
    return min(settings.batch or samples, samples)
