"""Calls side by side, in processes of this machine or on a cluster, by joblib."""

import os
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from chainrule import kernels
from chainrule.configuration import whole_number
from chainrule.errors import MissingExtraError

Task = tuple[Callable[..., Any], tuple[Any, ...]]  # a function and its arguments


def side_by_side(tasks: list[Task], workers: int | None) -> Generator[Any, None, None]:
    """The results of calls, each as soon as it is there, in any order: each call says itself which one it was.

    By joblib, in `workers` processes (−1: as many as there are cores); None asks joblib, which takes 1 unless it is
    told otherwise by `joblib.parallel_config`, which also sends them to a cluster.

    Raises:
        SettingError: no such number of workers.
        MissingExtraError: without joblib.

    """
    try:
        import joblib
    except ImportError:
        raise MissingExtraError("joblib", "sklearn", "cross-validation") from None
    if workers is not None and workers != -1:
        workers = whole_number(workers, "workers")
    count = joblib.effective_n_jobs(workers)
    calls = [joblib.delayed(_with_threads)(count, os.getpid(), function, *arguments) for function, arguments in tasks]
    try:
        parallel = joblib.Parallel(workers, batch_size=1, return_as="generator_unordered")
    except ValueError:  # a backend that gives results all together only (multiprocessing, Ray): one round after another
        for start in range(0, len(calls), count):
            yield from joblib.Parallel(workers, batch_size=1)(calls[start : start + count])
    else:
        yield from _until_closed(parallel(calls))


def _until_closed(results: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """The same results; whoever wants no more of them, for an error or Ctrl-C, is not warned that some are lost."""
    try:
        for result in results:  # noqa: UP028  (`yield from` would close them before the filter is there)
            yield result
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def _with_threads(workers: int, parent: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """The call. A process beside others takes no more threads than its share of the cores."""
    with _threads(max(1, (os.cpu_count() or 1) // workers) if os.getpid() != parent else kernels.threads()):
        return function(*arguments)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = kernels.threads()
    kernels.set_threads(min(before, count))
    try:
        yield
    finally:
        kernels.set_threads(before)
