"""Requests that come at the same time go through the network together: one pass costs little more than one sample's.

Nobody waits for company. While one batch is worked out, what comes meanwhile becomes the next. A network's answer for a
sample is the same, byte for byte, whatever else is in its batch, so nobody can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import Array

MOST_SAMPLES = 512  # in one batch, unless a single request has more
MOST_WAITING = 65_536  # samples; whoever comes then is asked to come back later


class OverloadError(Exception):
    """More samples are waiting than the service has room for."""


@dataclass(frozen=True)
class Waiting:
    """A request's samples, and where its answers will be."""

    x: Array
    answers: asyncio.Future[Array]


class Batcher:
    """Puts the samples of waiting requests through `predict`, (N, *shape) to answers (N, …), one batch at a time."""

    def __init__(self, predict: Callable[[Array], Array]) -> None:
        self._predict = predict
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue()
        self._samples = 0  # in the queue

    async def answers(self, x: Array) -> Array:
        """The answers for samples x (N, *shape). Raises OverloadError, and whatever `predict` raises for x."""
        if self._samples + len(x) > MOST_WAITING:
            raise OverloadError
        waiting = Waiting(x, asyncio.get_running_loop().create_future())
        self._samples += len(x)
        self._queue.put_nowait(waiting)
        return await waiting.answers

    async def run(self) -> None:
        """Work until cancelled."""
        kept: Waiting | None = None
        while True:
            batch = [kept or await self._queue.get()]
            kept = None
            while kept is None and not self._queue.empty():
                following = self._queue.get_nowait()
                if sum(len(one.x) for one in batch) + len(following.x) > MOST_SAMPLES:
                    kept = following
                else:
                    batch.append(following)
            self._samples -= sum(len(one.x) for one in batch)
            await self._work_out(batch)

    async def _work_out(self, batch: list[Waiting]) -> None:
        try:
            together = await asyncio.to_thread(self._predict, np.concatenate([one.x for one in batch]))
        except Exception as error:
            if len(batch) == 1:
                _settle(batch[0], error)
                return
            for one in batch:  # whose samples it was that cannot be answered must not be the others' trouble
                await self._work_out([one])
            return
        ends = np.cumsum([len(one.x) for one in batch])
        for one, answers in zip(batch, np.split(together, ends[:-1]), strict=True):
            _settle(one, answers)


def _settle(one: Waiting, result: Array | Exception) -> None:
    if one.answers.done():  # who asked has gone
        return
    if isinstance(result, Exception):
        one.answers.set_exception(result)
    else:
        one.answers.set_result(result)
