"""Files that are either wholly there or not there at all."""

import contextlib
import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chainrule.errors import DataError

Pathlike = str | os.PathLike[str]


def write_atomically(path: Pathlike, content: bytes) -> None:
    """Write `content` to `path`: whatever happens, the old file or the whole new one is there.

    Temporary file in the same folder, fsync, rename, fsync of the folder. A symbolic link is followed.

    Raises:
        OSError: the folder is missing, the disk is full, …; names the path, and the old file is intact.
        DataError: `path` is a folder, a pipe or a device.

    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise DataError(f"{path}: expected the path of a file, got {_kind(target)}")
    try:
        _write_and_rename(target, content)
    except OSError as error:
        raise OSError(
            error.errno, f"could not write the file ({error.strerror}); nothing was changed", str(path)
        ) from error


def remove_unfinished(path: Pathlike) -> None:
    """Delete what `write_atomically` has left beside `path` where its process was killed while it wrote."""
    target = Path(os.path.realpath(path))
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        part.unlink(missing_ok=True)


def _write_and_rename(target: Path, content: bytes) -> None:
    import tempfile  # takes a while

    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode_of(target))  # noqa: PTH101
        os.replace(temporary, target)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _mode_of(target: Path) -> int:
    """The permissions the file has, or those a new file would get (mkstemp gives 0600)."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextlib.contextmanager
def open_regular_file(path: Pathlike) -> Iterator[BinaryIO]:
    """A regular file, open for reading; never waits on a pipe or a device.

    Raises:
        OSError: no such file, or it may not be read.
        DataError: `path` is a folder, a pipe or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DataError(f"{path}: expected a file, got {_kind(Path(path))}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_regular_file(path: Pathlike) -> bytes:
    """The bytes of a regular file; raises as `open_regular_file` does."""
    with open_regular_file(path) as file:
        return file.read()


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "a pipe" if path.is_fifo() else "a device or socket"
