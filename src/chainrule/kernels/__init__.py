"""The compiled twins of the operations, each under the name of its operation, and what they run on.

A twin takes the arguments of its operation and gives its result, or NotImplemented where the arguments are of a kind
it was not made for (integers, half precision, other memory orders …): the operation then runs its formula. Which
instruction set and how many threads are used changes no bit of any result.

Linear layers leave out inputs that are exactly zero, which changes nothing while the weights are finite. Where a weight
is infinite or NaN, the formula says NaN also for an input of 0; a twin may leave the result finite.

Environment: CHAINRULE_ISA caps the instruction set (`x86-64-v3`, `x86-64-v4`, `arm64`), CHAINRULE_THREADS sets the
threads. Empty is the same as unset.
"""

import os
import warnings
from dataclasses import dataclass
from typing import Any

from chainrule.errors import SettingError

try:
    from chainrule.kernels import _native
except ImportError as _error:  # installed without a compiler
    _native = None  # type: ignore[assignment]
    _missing = f"the compiled kernels are not there ({_error})"
else:
    _missing = "" if _native.instruction_sets() else "this processor is older than x86-64-v3 (AVX2 and FMA)"

available: bool = not _missing  # whether the twins can run here


@dataclass(frozen=True)
class Info:
    """What the kernels run on."""

    instruction_set: str  # "x86-64-v4", …, or "none": NumPy formulas
    threads: int
    compiler: str


def info() -> Info:
    """Instruction set, number of threads, and the compiler that built the kernels."""
    if not available:
        return Info("none", 1, "none")
    return Info(_native.chosen(), _native.threads(), _native.compiler)


def threads() -> int:
    """How many threads the kernels use."""
    return info().threads


def set_threads(count: int) -> None:
    """Use `count` threads from now on; no result depends on it. Raises SettingError unless it is from 1 to 64."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 64:
        raise SettingError(f"threads: expected a whole number from 1 to 64, got {count!r}")
    if available:
        _native.set_threads(count)


def instruction_sets() -> list[str]:
    """The instruction sets that this machine has kernels for, best first."""
    return list(_native.instruction_sets()) if available else []


def set_instruction_set(name: str) -> None:
    """Use the kernels of this instruction set from now on; no result depends on it.

    Raises:
        SettingError: there are no kernels for it, or this machine cannot run them.
    """
    if name not in instruction_sets():
        raise SettingError(f"instruction set: expected one of {', '.join(instruction_sets()) or 'none'}, got {name!r}")
    _native.choose(name)


def _start() -> None:
    """Choose the best instruction set allowed, and the number of threads. A variable that is empty says nothing."""
    wanted = os.environ.get("CHAINRULE_THREADS")
    if wanted and wanted not in map(str, range(1, 65)):
        raise SettingError(f"CHAINRULE_THREADS: expected a whole number from 1 to 64, got {wanted!r}")
    if not available:
        if os.environ.get("CHAINRULE_BACKEND") != "reference":
            warnings.warn(f"{_missing}; every operation runs its NumPy formula, several times slower", stacklevel=2)
        return
    built = _native.built_for
    cap = os.environ.get("CHAINRULE_ISA") or built[0]
    if cap not in built:
        raise SettingError(f"CHAINRULE_ISA: expected one of {', '.join(built)}, got {cap!r}")
    set_instruction_set(next(name for name in built[built.index(cap) :] if name in instruction_sets()))
    if wanted:
        set_threads(int(wanted))


def __getattr__(name: str) -> Any:
    """The twin of the operation `name`; and what the compiled module has besides (Cell, Tape, Program, Pass …)."""
    if available and not name.startswith("_") and hasattr(_native, name):
        return getattr(_native, name)
    raise AttributeError(f"no compiled twin is named {name!r}")


_start()
