"""What commands print and where they write: tables, bars, one JSON object, files."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.arrays import Array
from chainrule.errors import DataError, SettingError
from chainrule.evaluation import ConfusedPair

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_IMPORTED = time.perf_counter()
WIDE = 60  # characters that the names of the columns of a table take at most
BAR = 30  # characters of a bar that means 100 %


def complain(message: str) -> None:
    """One line on the standard error stream, after the name of the program."""
    print(f"chainrule: {printable(message)}", file=sys.stderr)


def printable(text: str) -> str:
    """`text` on one line, without anything that could steer the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def console(quiet: bool = False) -> Console:
    """Where a person reads; honours NO_COLOR, and has no colours when it is not a terminal."""
    from rich.console import Console

    return Console(quiet=quiet, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on the standard output, and nothing else."""
    print(json.dumps(content, allow_nan=False, ensure_ascii=False))


def make_way_for(path: Path, option: str) -> None:
    """See to it that a file can be written to `path`, before hours are spent on what it shall hold.

    Makes the folder if it is missing. Raises OSError or DataError, which name the option or the path.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{option}: {path} is not a file; give the path of a file to write")
    if not path.name:
        raise SettingError(f"{option}: expected the path of a file to write, got {str(path)!r}")
    folder = path.resolve().parent
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{option}: {folder} is not a folder, so no file can be written into it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, f"no file can be written here ({error.strerror})", str(folder)) from None


def confusion_table(matrix: Array, class_names: list[str]) -> Table:
    """True classes as rows, predicted ones as columns; what is right is bold, zeros are dots."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title="Confusion matrix", title_justify="left", title_style="bold")
    rows = columns = [printable(name) for name in class_names]
    if sum(len(name) + 3 for name in columns) > WIDE:  # then numbers stand above the columns
        rows, columns = [f"{name}  {k}" for k, name in enumerate(rows)], [str(k) for k in range(len(rows))]
    table.add_column("true ╲ predicted", justify="right")
    for name in columns:
        table.add_column(Text(name), justify="right")
    for i, row in enumerate(matrix):
        cells = [Text(str(count), _style(i == j)) if count else Text("·", "dim") for j, count in enumerate(row)]
        table.add_row(Text(rows[i]), *cells)
    return table


def _style(right: bool) -> str:
    return "bold green" if right else "yellow"


def confused_lines(pairs: list[ConfusedPair], class_names: list[str]) -> list[str]:
    """The most confused pairs in words."""
    if not pairs:
        return ["No sample was confused."]
    times = [f"{pair.count} time{'s' if pair.count > 1 else ''}" for pair in pairs]
    lines = [
        f"  {printable(class_names[pair.true])} taken for {printable(class_names[pair.predicted])}: {often}"
        for pair, often in zip(pairs, times, strict=True)
    ]
    return ["Most confused:", *lines]


def bars(answers: Array, class_names: list[str]) -> Table:
    """One bar per class, as long as its probability; the longest is bold."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    for name, p in zip(class_names, answers, strict=True):
        style = "bold green" if p == answers.max() else ""
        share = min(max(float(p), 0.0), 1.0)  # squared error promises no probabilities
        bar = "█" * round(BAR * share) or "▏"
        table.add_row(Text(printable(name), style), Text(bar.ljust(BAR), style), Text(f"{p:7.2%}", style))
    return table


def seconds_since_start() -> float:
    """Seconds since this process began, all imports included; where the system does not tell, since this import."""
    try:
        ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return time.perf_counter() - _IMPORTED
