"""`@operation`: a NumPy formula, and the compiled twin that may stand in for it."""

import contextlib
import inspect
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import update_wrapper
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import numpy as np

from chainrule import kernels
from chainrule.errors import SettingError

P = ParamSpec("P")
R = TypeVar("R")

BACKENDS = ("native", "reference")


def _checked(name: str, setting: str) -> str:
    if name not in BACKENDS:
        raise SettingError(f"{setting}: expected one of {', '.join(BACKENDS)}, got {name!r}")
    return name


class Call(NamedTuple):
    """One call of an operation: what went in, by name, and what came out of it."""

    operation: "Operation[..., Any]"
    arguments: dict[str, Any]
    result: Any


class _Recorder:
    """Stands where the name of the backend stands, and notes every call that the backend then answers.

    So an operation that is not watched pays nothing for it: it asks for the backend anyhow, and finds the name. Context
    variables are each thread's and task's own: a recorder sees the calls of those who started it, and no others.
    """

    def __init__(self, backend: str) -> None:
        self.backend, self.calls = backend, list[Call]()

    def call(self, operation: "Operation[..., Any]", arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        with backend(self.backend):
            result = operation(*arguments, **keywords)
        by_name = inspect.signature(operation.reference).bind(*arguments, **keywords).arguments
        self.calls.append(Call(operation, by_name, result))
        return result


_at_first = _checked(os.environ.get("CHAINRULE_BACKEND") or "native", "CHAINRULE_BACKEND")
_backend: ContextVar[str | _Recorder] = ContextVar("chainrule_backend", default=_at_first)


class Operation(Generic[P, R]):
    """A formula on arrays. Calling it runs the compiled twin where one takes the arguments, else the formula.

    The formula is always reachable as `.reference`. Either way the arithmetic is IEEE's and silent: what overflows
    becomes infinite, and whoever reads the loss says so.
    """

    def __init__(self, formula: Callable[P, R]) -> None:
        update_wrapper(self, formula)
        self.name = formula.__name__
        self.reference = formula
        self._quiet_reference = np.errstate(all="ignore")(formula)
        self.kernel: Callable[..., Any] | None = getattr(kernels, self.name, None)

    def __call__(self, *arguments: P.args, **keywords: P.kwargs) -> R:
        if self.kernel is not None and not keywords and _backend.get() == "native":
            result = self.kernel(*arguments)
            if result is not NotImplemented:
                return result
            arguments = tuple(getattr(a, "value", a) for a in arguments)  # type: ignore[assignment]  # a Cell's number
        elif isinstance(recorder := _backend.get(), _Recorder):
            return recorder.call(self, arguments, keywords)
        return self._quiet_reference(*arguments, **keywords)

    def __reduce__(self) -> str:
        return self.name  # copies and pickles name it, as they do functions: a layer may hold one

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


OPERATIONS: dict[str, Operation[Any, Any]] = {}  # every operation that has been defined, by name


def operation(formula: Callable[P, R]) -> Operation[P, R]:
    """Make `formula` an operation: a plain function on arrays whose body is the mathematics and nothing else.

    Raises SettingError when the library has one of that name: its compiled twin would run in the place of yours.
    """
    taken = OPERATIONS.get(formula.__name__)
    if taken is not None and taken.__module__.startswith("chainrule.") and taken.__module__ != formula.__module__:
        raise SettingError(f"the name {formula.__name__} is taken by {taken.__module__}; give your operation another")
    made = Operation(formula)
    OPERATIONS[made.name] = made
    return made


def runs_natively() -> bool:
    """Whether operations called here run by their compiled twins."""
    return kernels.available and _backend.get() == "native"


@contextlib.contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """Within the block, the operations that are called here are noted in the list, with what they took and gave."""
    now = _backend.get()
    recorder = _Recorder(now if isinstance(now, str) else now.backend)
    token = _backend.set(recorder)
    try:
        yield recorder.calls
    finally:
        _backend.reset(token)


@contextlib.contextmanager
def backend(name: str) -> Iterator[None]:
    """Within the block, run operations by their compiled twins ("native") or by their formulas ("reference")."""
    token = _backend.set(_checked(name, "backend"))
    try:
        yield
    finally:
        _backend.reset(token)
