"""From the JSON of a request to the samples of a network; whatever comes, it is samples or a `RefusalError`."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError, DataTypeError
from chainrule.network import Network

MOST_BYTES = 16 * 2**20  # of a request's body
MOST_SAMPLES = 10_000  # in one request


class RefusalError(Exception):
    """A request that gets no answer: its HTTP status, and why, for the one who asked."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def samples_of(network: Network, body: bytes) -> Array:
    """The samples (N, *input_shape) of a request's body {"inputs": […]}. Raises RefusalError."""
    asked = _parsed(body)
    if not isinstance(asked, dict) or set(asked) != {"inputs"}:
        raise RefusalError(422, 'expected an object {"inputs": […]} and nothing else in it')
    inputs = asked["inputs"]
    if not isinstance(inputs, list) or not inputs:
        raise RefusalError(422, "inputs: expected an array of one sample or more")
    if len(inputs) > MOST_SAMPLES:
        raise RefusalError(422, f"inputs: expected at most {MOST_SAMPLES:,} samples a request, got {len(inputs):,}")
    for row, sample in enumerate(inputs):
        _check_numbers(sample, network.input_shape or (), f"inputs[{row}]")
    try:
        return network.floats(network.check_inputs(np.array(inputs, np.float64), "inputs"))
    except (DataError, DataTypeError, OverflowError) as error:
        raise RefusalError(422, str(error)) from None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_number)
    except RecursionError:
        raise RefusalError(400, "the body is nested too deeply") from None
    except ValueError as error:  # not JSON, not UTF-8, or a whole number of thousands of digits
        raise RefusalError(400, f"the body is not JSON: {error}") from None


def _no_number(name: str) -> NoReturn:
    raise RefusalError(400, f"the body is not JSON: {name} is no number there")


def _check_numbers(value: Any, shape: tuple[int, ...], where: str) -> None:
    """Raise a RefusalError unless `value` is nested arrays of numbers of this shape, such as an image's rows."""
    if not shape:
        if type(value) not in (int, float):
            raise RefusalError(422, f"{where}: expected a number, got {json.dumps(value)[:40]}")
        return
    if not isinstance(value, list):
        raise RefusalError(422, f"{where}: expected an array of {shape[0]}, got {json.dumps(value)[:40]}")
    if len(value) != shape[0]:
        raise RefusalError(422, f"{where}: expected an array of {shape[0]}, got one of {len(value)}")
    for place, part in enumerate(value):
        _check_numbers(part, shape[1:], f"{where}[{place}]")
