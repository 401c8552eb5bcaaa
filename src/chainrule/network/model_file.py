"""A model is one safetensors file: the tensors, and the architecture as JSON in the header's metadata.

    8 bytes   length of the header, little-endian
    header    JSON: {"__metadata__": {"chainrule": architecture and checksum}, "layers.0.W": {dtype, shape, place}, …}
    data      the tensors, one after the other

The checksum covers every byte of the file, with its own 64 digits read as zeros. Loading looks layer names up in a
closed register, so it never runs code; it opens no other file; and it looks at sizes before it allocates anything,
so it needs about twice the size of the file. Format: the safetensors specification.

A checkpoint of a training (`chainrule.training.checkpoint`) is such a file too, with other tensors and description.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.arrays import Array, aligned_copy, check_finite
from chainrule.configuration import JSON
from chainrule.errors import ChainruleError, DataError, DataTypeError, ModelFileError
from chainrule.files import Pathlike, open_regular_file, write_atomically
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.network.network import Network

FORMAT_VERSION = 1
LONGEST_HEADER = 1024 * 1024  # bytes; an architecture needs a few thousand
DEEPEST_HEADER = 64  # JSON levels; Sequential in Sequential … takes 3 each
NO_CHECKSUM = "0" * 64
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "|u1"}  # of tensors; a model has the first two only
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
FOREIGN = {b"\x80": "a Python pickle", b"PK": "a zip archive (PyTorch or Keras)", b"\x89HDF": "an HDF5 file (Keras)"}


def save(network: Network, path: Pathlike) -> None:
    """Write a built network to `path`, atomically. `load` is its inverse.

    Raises:
        OSError: the file could not be written; the old one is intact.
        DataError: a weight is not finite, or `path` is a folder, a pipe or a device.

    """
    for name, W in network.arrays.items():
        check_finite(W, name)
    write_tensors(path, network.arrays, _architecture(network))


def write_tensors(path: Pathlike, tensors: dict[str, Array], description: dict[str, JSON]) -> None:
    """Write named tensors and what they are to `path`, atomically. `read_tensors` is its inverse.

    Raises:
        OSError: the file could not be written; the old one is intact.
        DataError: the description is too long, or `path` is a folder, a pipe or a device.
        DataTypeError: a tensor is not of float32, float64, int64 or uint8.

    """
    from safetensors.numpy import save as to_bytes

    for name, W in tensors.items():
        if W.dtype.newbyteorder("<").str not in DTYPES.values():
            raise DataTypeError(f"{name}: expected an array of float32, float64, int64 or uint8, got {W.dtype}")
    text = json.dumps({"checksum": NO_CHECKSUM, **description}, allow_nan=False)
    content = to_bytes({name: np.asarray(W, order="C") for name, W in tensors.items()}, {"chainrule": text})
    if int.from_bytes(content[:8], "little") > LONGEST_HEADER:
        raise DataError(f"{path}: layers and metadata take more than {LONGEST_HEADER} bytes; keep metadata short")
    at = _checksum_place(content)
    import hashlib

    digest = hashlib.sha256(content).hexdigest().encode()
    write_atomically(path, content[:at] + digest + content[at + len(digest) :])


def load(path: Pathlike) -> Network:
    """The network that `save` wrote to `path`.

    Raises:
        ModelFileError: not a model file, damaged, of a newer format, or naming layers this program does not know.
        OSError: no such file, or it may not be read.

    """
    with _named(path):
        architecture, tensors = _parse(_content(path))
        if "checkpoint" in architecture:
            raise ModelFileError("a checkpoint, not a model: give it to train(…, checkpoint=…, resume=True)")
        return _network(architecture, tensors)


def read_tensors(path: Pathlike) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description and the tensors that `write_tensors` wrote to `path`; the tensors are read-only.

    Raises:
        ModelFileError: another kind of file, or a damaged one.
        OSError: no such file, or it may not be read.

    """
    with _named(path):
        return _parse(_content(path))


@contextlib.contextmanager
def _named(path: Pathlike) -> Iterator[None]:
    """Put the path before the message of an error."""
    try:
        yield
    except (ModelFileError, DataError) as error:
        message = str(error).removeprefix(f"{path}: ")
        raise ModelFileError(f"{path}: {message}") from error


def _content(path: Pathlike) -> bytes:
    """All bytes of a file that begins like a safetensors file."""
    with open_regular_file(path) as file:
        _header_length(file.read(8))
        file.seek(0)
        return file.read()


def _parse(content: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    header, start = _header(content)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or set(metadata) != {"chainrule"}:
        raise ModelFileError("a safetensors file, but not a Chainrule model: its metadata holds no architecture")
    description = _strict_json(str(metadata["chainrule"]))
    if not isinstance(description, dict):
        raise ModelFileError("the architecture is not a JSON object")
    _check_checksum(content, description.pop("checksum", None))
    return description, _tensors(header, content, start)


def _architecture(network: Network) -> dict[str, JSON]:
    return {
        "format_version": FORMAT_VERSION,
        "layers": [layer.configuration() for layer in network.layers],
        "loss": network.loss.configuration(),
        "input_shape": list(network.input_shape or ()),
        "dtype": network.dtype.name,
        "seed": network.seed,
        "metadata": network.metadata,
    }


def _network(architecture: dict[str, JSON], tensors: dict[str, Array]) -> Network:
    """The network of `architecture`, with `tensors` as its arrays. Shapes are compared before any is made."""
    version = architecture.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(f"format version {version}; this program reads version {FORMAT_VERSION}")
    known = {"format_version", "layers", "loss", "input_shape", "dtype", "seed", "metadata"}
    if set(architecture) != known:
        raise ModelFileError(f"unknown or missing keys in the architecture: {', '.join(set(architecture) ^ known)}")
    try:
        network = _without_memory(architecture)
    except (ChainruleError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"the architecture cannot be built: {error}") from error
    expected = {name: W.shape for name, W in network.arrays.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            raise ModelFileError(
                f"{name}: the architecture has shape {expected.get(name)}, the file holds {found.get(name)}"
            )
    for name, tensor in tensors.items():
        if tensor.dtype != network.dtype:
            raise ModelFileError(f"{name}: expected {network.dtype}, the file holds {tensor.dtype}")
        check_finite(tensor, name)
    network.body.replace_parameters(lambda name, _: aligned_copy(tensors[name]))
    return network


def _without_memory(architecture: dict[str, Any]) -> Network:
    """The network with stand-ins for parameters."""
    network = Network(
        [Layer.from_configuration(layer) for layer in architecture["layers"]],
        loss=Loss.from_configuration(architecture["loss"]),
        seed=architecture["seed"],
        dtype=str(architecture["dtype"]),
        metadata=architecture["metadata"],
    )
    network._build(tuple(architecture["input_shape"]), None)
    return network


def _header_length(start: bytes) -> int:
    """The length of the header, from the first 8 bytes; most foreign files end here, before the rest is read.

    A header of 128, 384, 640 … bytes begins with the byte of a pickle, one of 19,280 with those of a zip archive.
    """
    length = int.from_bytes(start, "little")
    if len(start) == 8 and length <= LONGEST_HEADER:
        return length
    for magic, kind in FOREIGN.items():
        if start.startswith(magic):
            raise ModelFileError(f"expected a Chainrule model (safetensors), got {kind}; it was not opened")
    if len(start) < 8:
        raise ModelFileError(f"expected a Chainrule model (safetensors), got a file of {len(start)} bytes")
    raise ModelFileError(f"expected a Chainrule model (safetensors); a header of {length} bytes is not one")


def _header(content: bytes) -> tuple[dict[str, Any], int]:
    """The header as a JSON object, and where the tensor bytes start."""
    length = _header_length(content[:8])
    if 8 + length > len(content):
        raise ModelFileError(f"cut short: a header of {length} bytes is announced, {len(content) - 8} follow")
    try:
        header = _strict_json(content[8 : 8 + length].decode("utf-8"))
    except UnicodeDecodeError:
        raise ModelFileError("expected a Chainrule model (safetensors): its header is not text") from None
    if not isinstance(header, dict):
        raise ModelFileError("expected a Chainrule model (safetensors): its header is not a JSON object")
    return header, 8 + length


def _strict_json(text: str) -> JSON:
    """JSON without duplicate keys, NaN literals or deep nesting, else a ModelFileError."""
    depth = deepest = 0
    for character in _STRING.sub("", text):  # a name or a word may hold brackets
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST_HEADER:
        raise ModelFileError(f"the header is nested {deepest} levels deep, more than {DEEPEST_HEADER}")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"the header is not valid JSON: {error}") from None


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ModelFileError(f"the header holds the key {next(n for n in names if names.count(n) > 1)!r} twice")
    return found


def _refuse_constant(literal: str) -> JSON:
    raise ModelFileError(f"the header holds {literal}, which is not JSON")


def _check_checksum(content: bytes, checksum: JSON) -> None:
    at = _checksum_place(content)
    import hashlib

    digest = hashlib.sha256()
    view = memoryview(content)
    for part in (view[:at], NO_CHECKSUM.encode(), view[at + len(NO_CHECKSUM) :]):
        digest.update(part)
    if digest.hexdigest() != checksum:
        raise ModelFileError("damaged: its checksum does not match its content")


def _checksum_place(content: bytes) -> int:
    """Where the 64 digits of the checksum stand in the header."""
    key = rb"{\"checksum\": \""  # the first key of the architecture, which is JSON inside a JSON string
    at = content.find(key, 0, 8 + int.from_bytes(content[:8], "little"))
    if at < 0:
        raise ModelFileError("damaged: its header holds no checksum")
    return at + len(key)


def _tensors(header: dict[str, Any], content: bytes, start: int) -> dict[str, Array]:
    """Read-only views of the tensors. They must fill the file without gap or overlap."""
    places = [(0, 0)]
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: _place(*item)):
        begin, end = _place(name, entry)
        dtype = DTYPES.get(str(entry["dtype"]))
        shape = entry["shape"]
        if dtype is None or not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise ModelFileError(f"{name}: expected a tensor of float32 or float64, int64 or uint8, got {entry}")
        count = 1
        for n in shape:
            count *= n
        if count * int(dtype[-1]) != end - begin or start + end > len(content):
            raise ModelFileError(f"{name}: a tensor of shape {shape} does not fit its {end - begin} bytes in the file")
        places.append((begin, end))
        tensors[name] = np.frombuffer(content, dtype, count, start + begin).reshape(shape).astype(dtype[1:], copy=False)
    places.append((len(content) - start, 0))
    if any(before[1] != after[0] for before, after in pairwise(places)):
        raise ModelFileError("damaged: tensor bytes overlap, leave gaps, or trail behind the last tensor")
    return tensors


def _place(name: str, entry: Any) -> tuple[int, int]:
    """The first byte of a tensor and the one after its last, from the start of the data."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"{name}: expected dtype, shape and data_offsets, got {entry!r:.100}")
    offsets = entry["data_offsets"]
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(n) is int for n in offsets):
        raise ModelFileError(f"{name}: data_offsets must be two whole numbers, got {offsets!r:.100}")
    begin, end = offsets
    if not 0 <= begin <= end:
        raise ModelFileError(f"{name}: data_offsets {offsets} are not a range")
    return begin, end
