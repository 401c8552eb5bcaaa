"""Files are wholly there or not there at all; and only files are read."""

import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chainrule.errors import DataError
from chainrule.files import read_regular_file, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "model"
    for content in (b"", b"one", bytes(range(256)) * 5000):
        write_atomically(path, content)
        assert read_regular_file(path) == content
        assert names(tmp_path) == ["model"]


def test_a_path_may_be_text(tmp_path):
    write_atomically(str(tmp_path / "model"), b"x")
    assert read_regular_file(str(tmp_path / "model")) == b"x"


def test_a_new_file_has_the_permissions_a_new_file_gets(tmp_path):
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "model", b"x")
    assert (tmp_path / "model").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_old_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "model"
    path.touch()
    path.chmod(0o640)
    write_atomically(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_link_to_nothing_makes_what_it_names(tmp_path):
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"new"


@pytest.mark.parametrize("failing", ["fsync", "replace", "chmod", "fdopen"])
@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EIO])
def test_after_a_failed_write_the_old_file_is_intact_and_nothing_is_left_over(tmp_path, monkeypatch, failing, reason):
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def fail(*_, **__):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="could not write the file") as caught:
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert caught.value.errno == reason
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["model"]


def test_a_write_cut_short_by_a_full_disk_leaves_the_old_file(tmp_path):
    """A real one: the process may not write more than 64 KiB into a file."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    program = f"""
import resource, signal
from chainrule.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    write_atomically({str(path)!r}, b"x" * 1_000_000)
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "could not write the file" in done.stdout
    assert str(path) in done.stdout
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["model"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="could not write the file") as caught:
        write_atomically(tmp_path / "nowhere" / "model", b"x")
    assert caught.value.filename == str(tmp_path / "nowhere" / "model")


@pytest.fixture(params=["a folder", "a pipe", "a device or socket"])
def no_file(request, tmp_path):
    path = tmp_path / "thing"
    if request.param == "a folder":
        path.mkdir()
    elif request.param == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    return path, request.param


@pytest.mark.timeout(10)
def test_only_a_file_is_written(no_file):
    path, kind = no_file
    with pytest.raises(DataError, match=f"expected the path of a file, got {kind}"):
        write_atomically(path, b"x")


@pytest.mark.timeout(10)
def test_only_a_file_is_read_and_a_pipe_is_not_waited_for(no_file):
    path, kind = no_file
    with pytest.raises(DataError, match=f"{path}: expected a file, got {kind}"):
        read_regular_file(path)


def test_a_missing_file_is_python_s_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / "nothing")


def test_a_file_is_closed_after_reading(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"x")
    before = names(Path("/proc/self/fd"))
    read_regular_file(path)
    with pytest.raises(DataError):
        read_regular_file(tmp_path)
    assert names(Path("/proc/self/fd")) == before


def test_killed_at_any_moment_the_old_or_the_new_file_is_there(tmp_path):
    """A process writes one content after another and is killed without warning."""
    path, size = tmp_path / "model", 300_000
    program = f"""
from chainrule.files import write_atomically
while True:
    for letter in (b"a", b"b"):
        write_atomically({str(path)!r}, letter * {size})
"""
    for delay in (0.01, 0.03, 0.02):
        process = subprocess.Popen([sys.executable, "-c", program])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        process.wait()
        content = path.read_bytes()
        assert content in (b"a" * size, b"b" * size)
        path.unlink()
