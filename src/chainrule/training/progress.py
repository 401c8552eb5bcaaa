"""The cost, watched while it falls. Source: mission item D16."""

import os
import shutil
import sys
import time
from typing import TextIO

from chainrule.training.callbacks import Callback
from chainrule.training.history import Record
from chainrule.training.run import Run

REFRESH = 0.1  # seconds between two drawings of the live line
LINES = 50  # epochs that get a line of their own, at most


class Progress(Callback):
    """A line per epoch and, on a terminal, a live line below them; elsewhere plain lines only."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.file = file or sys.stderr
        self.live = self.file.isatty() and os.environ.get("TERM") != "dumb"

    def on_train_start(self, run: Run) -> None:
        self._started = time.perf_counter()
        self._next = self._started + REFRESH
        self._every = -(-run.epochs // LINES)
        self._before = run.step  # steps that an earlier process took
        if run.step:
            self._line(f"going on after step {run.step:,} of {run.epochs * run.steps_per_epoch:,}")
        if run.penalty is not None:
            self._line(f"penalty {run.penalty.describe(run.network.parameters, run.samples)}")

    def on_pause(self, run: Run) -> None:
        now = time.perf_counter()
        if self.live and run.seen and now >= self._next:
            self._next = now + REFRESH
            self._draw(live_line(run, now - self._started, shutil.get_terminal_size().columns - 1, self._before))

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch == 1 or run.epoch % self._every == 0 or run.epoch == run.epochs:
            self._line(epoch_line(run.history.records[-1], run.epochs))

    def on_train_end(self, run: Run) -> None:
        if run.stopping:
            self._line(f"stopped: {run.stopping}")

    def close(self) -> None:
        """Leave the terminal with a clean line, however the training ended."""
        if self.live:
            self._draw("")

    def _line(self, text: str) -> None:
        self._draw("")
        print(text, file=self.file, flush=True)

    def _draw(self, text: str) -> None:
        if self.live:
            self.file.write("\r\x1b[2K" + text)
            self.file.flush()


def epoch_line(record: Record, epochs: int) -> str:
    """One finished epoch in words."""
    parts = [f"epoch {record['epoch']:>{len(str(epochs))}.0f}/{epochs}", _figures(record)]
    if "validation_loss" in record:
        measured = {name.removeprefix("validation_"): v for name, v in record.items() if name.startswith("validation_")}
        parts.append(f"validation {_figures(measured)}")
    parts.append(f"{record['samples_per_second']:,.0f} samples/s")
    return "   ".join(parts)


def live_line(run: Run, elapsed: float, width: int, before: int = 0) -> str:
    """Where the training stands: share done, loss, accuracy, samples/s, time left; at most `width` characters.

    `before` steps were not taken in the `elapsed` seconds but earlier.
    """
    steps = run.epochs * run.steps_per_epoch
    done, share = run.step / steps, (run.step - before) / steps
    accuracy = "" if run.accuracy is None else f" accuracy {run.accuracy:.2%}"
    speed = share * run.epochs * run.samples / elapsed
    left = elapsed / share * (1 - done)
    start = f"epoch {run.epoch}/{run.epochs} "
    after = f" loss {run.loss:.4g}{accuracy}  {speed:,.0f} samples/s  {_clock(left)} left"
    bar = max(0, min(20, width - len(start) - len(after)))
    return f"{start}{'━' * int(bar * done):─<{bar}}{after}"[:width]


def _figures(record: Record) -> str:
    accuracy = f" accuracy {record['accuracy']:7.2%}" if "accuracy" in record else ""
    penalty = f" (penalty {record['penalty']:.2g})" if "penalty" in record else ""
    return f"loss {record['loss']:<9.4g}{accuracy}{penalty}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
