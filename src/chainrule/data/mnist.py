"""MNIST: found on this machine or fetched, and believed only when its hash is right. Source: mission item B1."""

import io
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Pixels
from chainrule.data.dataset import DataSet
from chainrule.data.idx import Bytes, parse_images, parse_labels
from chainrule.errors import DataError, DownloadError
from chainrule.files import open_regular_file, write_atomically


@dataclass(frozen=True)
class Part:
    """One of the four files. Size and hash are those of its content, uncompressed: how it is packed does not matter."""

    name: str
    size: int
    sha256: str
    parse: Callable[[bytes, str], Bytes]

    @property
    def largest(self) -> int:
        """The most bytes a file with this content can take, packed or not: gzip adds next to nothing to what it is."""
        return self.size + 2**16


PARTS = (
    Part(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        parse_images,
    ),
    Part(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        parse_labels,
    ),
    Part(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        parse_images,
    ),
    Part(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        parse_labels,
    ),
)

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://yann.lecun.com/exdb/mnist/",
)

SOURCE = "Y. LeCun, C. Cortes and C. J. C. Burges (1998), The MNIST Database of Handwritten Digits, from NIST's forms"

TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of an answer


def load_mnist() -> DataSet:
    """MNIST, 60,000 digits to train and 10,000 to test: x (N, 784) in 0…1, y (N,) int64 labels 0…9.

    The images are `Pixels`: 47 MB of bytes that read as float32. numpy.asarray(x) makes an array of floats of them.

    The four IDX files, gzipped or not, are looked for in the folder CHAINRULE_DATA, in its sub-folder mnist, and in
    the user's cache. What is missing is downloaded into the cache (11 MB in all).

    Raises:
        DataError: a file that was found is not MNIST's; names it.
        DownloadError: a file is missing, and no mirror gave it.

    """
    x_train, y_train, x_test, y_test = (_read(path, part) for path, part in zip(fetch_mnist(), PARTS, strict=True))
    return DataSet(
        name="mnist",
        train=(_rows(x_train), y_train.astype(np.int64)),
        test=(_rows(x_test), y_test.astype(np.int64)),
        image_shape=(28, 28),
        class_names=tuple("0123456789"),
        source=SOURCE,
        licence="CC BY-SA 3.0 (Y. LeCun and C. Cortes); not shipped with Chainrule",
        description="Handwritten digits, 28×28 pixels of 256 greys; the test digits are by people of their own.",
    )


def _rows(images: Bytes) -> Pixels:
    """(N, 28, 28) bytes as (N, 784) numbers in 0…1."""
    return Pixels(images.reshape(len(images), -1))


def fetch_mnist() -> list[Path]:
    """The paths of the four files, in the order of `PARTS`; downloads what is missing. Raises DownloadError."""
    return [find(part) or _download(part) for part in PARTS]


def find(part: Part) -> Path | None:
    """The file on this machine, gzipped or not, or None. Its content is not looked at."""
    for folder in _folders():
        for name in (f"{part.name}.gz", part.name):
            if (folder / name).exists():
                return folder / name
    return None


def _folders() -> Iterator[Path]:
    named = os.environ.get("CHAINRULE_DATA")
    if named:
        yield Path(named).expanduser()
        yield Path(named).expanduser() / "mnist"
    yield cache_folder()


def cache_folder() -> Path:
    """Where downloads are kept: mnist in the cache folder that this system gives to the program."""
    import pooch

    return Path(pooch.os_cache("chainrule")) / "mnist"


def _read(path: Path, part: Part) -> Bytes:
    with open_regular_file(path) as file:
        return unpack(file.read(part.largest + 1), part, str(path))


def unpack(packed: bytes, part: Part, name: str) -> Bytes:
    """The array in `packed`, an IDX file or its gzip, provided that it is MNIST's; `name` says which in errors.

    Raises:
        DataError: damaged, something else, or a file that would unpack to more than it should.

    """
    content = _gunzip(packed, part.size + 1, name) if packed.startswith(b"\x1f\x8b") else packed
    if len(content) > part.size:
        raise DataError(
            f"{name}: longer than MNIST's {part.name}, which has {part.size} bytes unpacked; "
            "are the files mixed up, or from another data set?"
        )
    array = part.parse(content, name)
    import hashlib

    found = hashlib.sha256(content).hexdigest()
    if found != part.sha256:
        raise DataError(
            f"{name}: not MNIST's {part.name}, or damaged; remove it, or put the right one in its place "
            f"(sha256 of its content: expected {part.sha256}, got {found})"
        )
    return array


def _gunzip(packed: bytes, at_most: int, name: str) -> bytes:
    """The content of a gzip file; of a truncated one, what there is; never more than `at_most` bytes."""
    try:
        return zlib.decompressobj(wbits=31).decompress(packed, at_most)  # 31: with gzip's header and checksum
    except zlib.error as error:
        raise DataError(
            f"{name}: a damaged gzip file ({error}); remove it, or put the right one in its place"
        ) from None


def _download(part: Part) -> Path:
    """Fetch the file from the first mirror that gives the right one, and keep it in the cache."""
    file = f"{part.name}.gz"
    reasons = []
    for mirror in MIRRORS:
        try:
            packed = _get(mirror + file, part.largest)
            unpack(packed, part, mirror + file)
        except DataError as error:
            reasons.append(str(error))
        except OSError as error:
            reasons.append(f"{mirror + file}: {_why(error)}")
        else:
            return _keep(packed, cache_folder() / file)
    raise DownloadError(
        f"could not download {file} from any mirror:\n"
        + "".join(f"  {reason}\n" for reason in reasons)
        + "To go on without a connection, put the four files of MNIST into a folder and set CHAINRULE_DATA to it:\n"
        + "".join(f"  {part.name}.gz\n" for part in PARTS).rstrip()
    )


def _get(url: str, at_most: int) -> bytes:
    """The answer of `url`. Raises OSError, or a DataError as soon as it is longer than `at_most` bytes."""
    import pooch

    answer = _Capped(url, at_most)
    pooch.HTTPDownloader(chunk_size=2**16, timeout=TIMEOUT)(url, answer, None)
    return answer.getvalue()


class _Capped(io.BytesIO):
    def __init__(self, url: str, at_most: int) -> None:
        super().__init__()
        self.url = url
        self.at_most = at_most

    def write(self, chunk: Any, /) -> int:
        if self.tell() + len(chunk) > self.at_most:
            raise DataError(f"{self.url}: longer than the {self.at_most} bytes that the file can have")
        return super().write(chunk)


def _why(error: OSError) -> str:
    """What went wrong with a request, in a few words."""
    import requests  # pooch brings it

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT[1]} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def _keep(packed: bytes, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, packed)
    except OSError as error:
        raise DownloadError(f"fetched {path.name}, but could not keep it in {path.parent}: {error}") from error
    return path
