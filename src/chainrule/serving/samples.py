"""From the JSON of a request to the samples of a network; whatever comes, it is samples or a `RefusalError`."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError, DataTypeError
from chainrule.network import Network
from chainrule.tabular import TabularPreprocessor
from chainrule.tabular.column import Column
from chainrule.tabular.preprocessor import preprocessor_of

MOST_BYTES = 16 * 2**20  # of a request's body
MOST_SAMPLES = 10_000  # in one request


class RefusalError(Exception):
    """A request that gets no answer: its HTTP status, and why, for the one who asked."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Reader:
    """Reads the bodies of requests to a network: {"inputs": […]}, or {"rows": […]} where it learned from a table."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.preprocessor = preprocessor_of(network.metadata, network.input_shape)

    @property
    def key(self) -> str:
        """The one key of a request's object."""
        return "inputs" if self.preprocessor is None else "rows"

    @property
    def columns(self) -> list[Column]:
        """What a row must hold, where the network learned from a table."""
        return [] if self.preprocessor is None else [c for c in self.preprocessor.columns if c.feature_names]

    def read(self, body: bytes) -> Array:
        """The samples (N, *input_shape) of a request's body. Raises RefusalError."""
        asked = _parsed(body)
        if not isinstance(asked, dict) or set(asked) != {self.key}:
            raise RefusalError(422, f'expected an object {{"{self.key}": […]}} and nothing else in it')
        samples = asked[self.key]
        if not isinstance(samples, list) or not samples:
            raise RefusalError(422, f"{self.key}: expected an array of one sample or more")
        if len(samples) > MOST_SAMPLES:
            raise RefusalError(
                422, f"{self.key}: expected at most {MOST_SAMPLES:,} samples a request, got {len(samples):,}"
            )
        try:
            x = self._numbers(samples) if self.preprocessor is None else self._transformed(self.preprocessor, samples)
            return self.network.floats(self.network.check_inputs(x, self.key))
        except (DataError, DataTypeError, OverflowError) as error:
            raise RefusalError(422, str(error)) from None

    def _numbers(self, samples: list[Any]) -> Array:
        for row, sample in enumerate(samples):
            _check_numbers(sample, self.network.input_shape or (), f"inputs[{row}]")
        return np.array(samples, np.float64)

    def _transformed(self, preprocessor: TabularPreprocessor, samples: list[Any]) -> Array:
        names = [column.name for column in self.columns]
        for row, sample in enumerate(samples):
            _check_row(sample, names, f"rows[{row}]")
        return preprocessor.transform({name: [sample[name] for sample in samples] for name in names})


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


def _check_row(value: Any, names: list[str], where: str) -> None:
    """Raise a RefusalError unless `value` is an object with a cell for each of these columns, and no other."""
    if not isinstance(value, dict):
        raise RefusalError(422, f"{where}: expected an object, a value for each column, got {json.dumps(value)[:40]}")
    for name in names:
        if name not in value:
            raise RefusalError(422, f"{where}: {name!r} is missing; send null where there is no value")
    for name, cell in value.items():
        if name not in names:
            raise RefusalError(422, f"{where}: there is no column {name!r:.80}; there are {', '.join(names)}")
        if not isinstance(cell, str | int | float | None):
            raise RefusalError(422, f"{where}.{name}: expected text, a number, true, false or null")
