"""Sizes looked at before memory is asked for, so that a table too large is a message and not a killed process."""

from pathlib import Path

BYTES_PER_CELL = 16 + 4  # of a text of up to 15 bytes, and room for what is done with it
BYTES_PER_COLUMN = 1000  # for a name, an array, and what is learned of it


def check_memory(needed: int, what: str) -> None:
    """Raise a MemoryError where `needed` bytes for `what` are more than the machine has free, if it tells how many."""
    free = _free_bytes()
    if free is not None and needed > free:
        raise MemoryError(f"{what} would take {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free")


def _free_bytes() -> int | None:
    """What can be used without swapping, by Linux's own estimate; None elsewhere."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
