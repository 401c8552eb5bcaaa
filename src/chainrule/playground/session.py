"""One page: what it asks, what it is told. When it is gone, so is its training."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from chainrule.errors import ChainruleError, SettingError
from chainrule.playground import take_away
from chainrule.playground.building import loss_names, make_network
from chainrule.playground.checkup import check_up
from chainrule.playground.data import Table, make_problem, mnist_is_here, parse_table
from chainrule.playground.frames import pack
from chainrule.playground.pictures import Viewer
from chainrule.playground.recognition import recognise
from chainrule.playground.settings import Settings, parse
from chainrule.playground.surface import loss_surface
from chainrule.playground.trainer import Trainer
from chainrule.playground.walk import explain

MOST_BYTES = 2**20  # of a message from the page
MOST_FRAMES = 40  # a second
MOST_OWED = 2  # frames: one is worked out while the page draws another
PATIENCE = 20.0  # seconds for one question

Work = Callable[[], dict[str, Any] | bytes]


class Session:
    """The conversation with one page.

    The page sends JSON objects with "do". It is sent JSON objects and packed arrays (`frames.pack`) with "is". A frame
    is sent when there is something new and the page has said that it is "ready": a slow page gets fewer.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._fresh, self._ready = asyncio.Event(), asyncio.Event()
        self._looking = asyncio.Lock()  # the viewer's network is looked at by one thread at a time
        self._settings = Settings()
        self._own: Table | None = None
        self._sample = 0
        self._owed = 0  # frames that the page is ready for
        self.trainer: Trainer | None = None
        self._viewer: Viewer | None = None
        self._waiting: dict[str, Work] = {}
        self._questions: dict[str, asyncio.Task[None]] = {}

    async def live(self) -> None:
        """Until the page is gone."""
        await self._websocket.accept()
        frames = asyncio.create_task(self._send_frames())
        try:
            while True:
                await self._hear(await self._websocket.receive())
        except WebSocketDisconnect:
            pass
        finally:
            self.close()
            frames.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await frames

    def close(self) -> None:
        """End the training and what is being worked out."""
        if self.trainer is not None:
            self.trainer.close()
        for question in self._questions.values():
            question.cancel()

    async def _hear(self, message: Any) -> None:
        """One message, whatever it is."""
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        try:
            asked = _understood(message)
            await self._do(asked)
        except ChainruleError as error:
            await self._tell({"is": "error", "text": str(error)})

    async def _do(self, asked: dict[str, Any]) -> None:
        what = asked["do"]
        if what == "ready":
            self._owed = min(self._owed + 1, MOST_OWED)
            self._ready.set()
        elif what == "begin":
            await self._begin(parse(asked.get("settings")))
        elif what == "own":
            self._own = await asyncio.to_thread(parse_table, _text(asked, "csv"))
            await self._tell({"is": "table", "rows": len(self._own.x), "features": list(self._own.feature_names)})
        elif what in QUESTIONS:
            self._ask(what, asked)
        elif what in ORDERS:
            if self.trainer is None:
                raise SettingError("do: begin first")
            ORDERS[what](self.trainer, asked)
        elif what == "choose":
            self._sample = _whole(asked, "sample", 100_000)
            self._fresh.set()
        else:
            raise SettingError(f"do: there is no {what!r:.40}")

    async def _begin(self, settings: Settings) -> None:
        """A new network, or new settings for the training of the one there is."""
        if self.trainer is not None and self._viewer is not None and settings.same_network(self._settings):
            self._viewer.change(settings)
            self.trainer.change(settings)
            self._settings = settings
            return
        problem = await asyncio.to_thread(make_problem, settings, self._own)
        network, _ = make_network(settings, problem)
        viewer = Viewer(settings, problem)
        if self.trainer is not None:
            self.trainer.close()
        async with self._looking:
            self._settings, self._viewer = settings, viewer
            self.trainer = Trainer(network, problem, settings, self._notice)
        header, arrays = viewer.first()
        header |= {"is": "begun", "losses": loss_names(problem), "mnist": mnist_is_here()}
        await self._send(pack(header, arrays))
        self._fresh.set()

    def _notice(self) -> None:
        """Called in the thread that trains."""
        with contextlib.suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._fresh.set)

    async def _send_frames(self) -> None:
        due = self._loop.time()
        while True:
            await self._fresh.wait()
            await self._ready.wait()
            self._fresh.clear()
            async with self._looking:
                if self.trainer is None or self._viewer is None:
                    continue
                self._owed -= 1
                if not self._owed:
                    self._ready.clear()
                frame = await asyncio.to_thread(self._viewer.frame, self.trainer.moment, self._sample)
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the page has just gone
                await self._send(frame)
            due = max(due + 1 / MOST_FRAMES, self._loop.time())
            await asyncio.sleep(due - self._loop.time())

    def _ask(self, what: str, asked: dict[str, Any]) -> None:
        """Work out an answer beside the training; one of each kind at a time, and of those waiting the last."""
        if self.trainer is None or self._viewer is None:
            raise SettingError("do: begin first")
        work = functools.partial(QUESTIONS[what], self._viewer, self.trainer, asked)
        before = self._questions.get(what)
        if before is not None and not before.done():
            self._waiting[what] = work
        else:
            self._questions[what] = asyncio.create_task(self._answer(what, work))

    async def _answer(self, what: str, work: Work | None) -> None:
        while work is not None:
            try:
                async with self._looking if what in LOOKING else contextlib.nullcontext():
                    answer = await asyncio.wait_for(asyncio.to_thread(work), PATIENCE)
            except ChainruleError as error:
                answer = {"is": "error", "text": str(error)}
            except TimeoutError:
                answer = {"is": "error", "text": f"that took longer than {PATIENCE:g} seconds"}
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await (self._send(answer) if isinstance(answer, bytes) else self._tell(answer))
            work = self._waiting.pop(what, None)

    async def _tell(self, message: dict[str, Any]) -> None:
        async with self._sending:
            await self._websocket.send_text(json.dumps(message, allow_nan=False))

    async def _send(self, message: bytes) -> None:
        async with self._sending:
            await self._websocket.send_bytes(message)


def _understood(message: Any) -> dict[str, Any]:
    """What the page asks. Raises SettingError for anything but a JSON object with "do"."""
    text = message.get("text")
    try:
        asked = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("do"), str):
        raise SettingError('expected a JSON object with "do"')
    return asked


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise SettingError(f"{name}: expected text")
    return value


def _whole(asked: dict[str, Any], name: str, most: int) -> int:
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise SettingError(f"{name}: expected a whole number from 0 to {most}")
    return value


def _pace(asked: dict[str, Any]) -> float | None:
    """Steps a second; None for as fast as can be."""
    value = asked.get("pace")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 1000:
        raise SettingError("pace: expected 0.1 to 1000 steps a second, or null")
    return float(value)


ORDERS: dict[str, Callable[[Trainer, dict[str, Any]], None]] = {
    "run": lambda trainer, asked: trainer.run(_pace(asked)),
    "pause": lambda trainer, asked: trainer.pause(),
    "step": lambda trainer, asked: trainer.step(),
    "sample": lambda trainer, asked: trainer.sample(),
    "back": lambda trainer, asked: trainer.back(),
    "again": lambda trainer, asked: trainer.again(),
}
QUESTIONS: dict[str, Callable[[Viewer, Trainer, dict[str, Any]], dict[str, Any] | bytes]] = {
    "surface": lambda viewer, trainer, asked: loss_surface(viewer, trainer),
    "recognise": lambda viewer, trainer, asked: recognise(viewer, trainer, asked.get("pixels")),
    "explain": explain,
    "checkup": lambda viewer, trainer, asked: check_up(viewer, trainer),
    "take": lambda viewer, trainer, asked: take_away.take(viewer, trainer, _text(asked, "what")),
}
LOOKING = ("surface", "recognise", "explain", "take")  # those that use the viewer's own network
