"""The WebSocket: what is logged, as it is logged, and points of the latent space, decoded as they are dragged.

For each page the newest wish wins: one decode is on its way, later ones replace each other while they wait, and a page
that reads slowly gets the latest state, never a queue.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from starlette.websockets import WebSocket, WebSocketDisconnect

from latentia.errors import ConfigError, LatentiaError
from latentia.exploration.bundle import plain
from latentia.runs.directory import RunDirectory
from latentia.runs.run import Run
from latentia.runs.uses.material import decode, is_conditional, label_for, snapped
from latentia.studio import pixels
from latentia.studio.catalogue import Catalogue, state_of
from latentia.studio.curves import Curves
from latentia.studio.desk import Opened
from latentia.studio.guard import Bucket
from latentia.studio.jobs import Jobs
from latentia.studio.places import NoSuchRun, Outside
from latentia.studio.work import Work

LOOK_EVERY = 0.5  # seconds between two looks at watched files, and at what goes on
LIST_EVERY = 1.0  # seconds between two looks at the whole folder, at least
IDLE = 50  # times as long as such a look took, nobody looks again: it costs 2 % of a processor at most
LARGEST = 2**20  # bytes of a message: tens of thousands of latents as text
LARGEST_OTHER = 2**12  # of one that brings no latents
MESSAGES = 1000.0  # a second, of one page
PATIENCE = 30.0  # seconds that a page may take to read a message
MOST_PAGES = 200
REMEMBERED = 1.0  # seconds for which a run that is being decoded is not opened anew
_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """How much of a run's log a page has."""

    run: str
    after: int
    generation: int | None = None
    start: int = 0
    state: str | None = None


@dataclass(eq=False)
class Page:
    """One page's WebSocket, and what waits to be sent to it; of each kind the latest alone."""

    socket: WebSocket
    watch: Watch | None = None
    wished: dict[str, Any] | None = None
    errors: dict[Any, str] = field(default_factory=dict)
    news: bool = False
    rows: bool = False
    to_decode: asyncio.Event = field(default_factory=asyncio.Event)
    to_send: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, seq: Any, sentence: str) -> None:
        """Say what went wrong, once for each wish."""
        self.errors = dict(list(self.errors.items())[-20:]) | {seq: sentence}
        self.to_send.set()


class Hub:
    """All the pages that are open.

    Args:
        catalogue: The runs.
        curves: What they logged.
        jobs: What was started here.
        work: Where things are computed.
    """

    def __init__(self, catalogue: Catalogue, curves: Curves, jobs: Jobs, work: Work) -> None:
        self.catalogue, self.curves, self.jobs, self.work = catalogue, curves, jobs, work
        self.pages: set[Page] = set()
        self._opened: dict[tuple[str, Any], tuple[float, Opened]] = {}
        self._seen: tuple[dict[str, Any], Any] | None = None

    # -- pages -------------------------------------------------------------------------------------------------------

    async def serve(self, socket: WebSocket) -> None:
        """Talk with one page until it leaves."""
        await socket.accept()
        if len(self.pages) >= MOST_PAGES:
            await socket.close(1013, "too many pages are open: close some")
            return
        page = Page(socket)
        self.pages.add(page)
        tasks = [asyncio.create_task(job(page)) for job in (self._read, self._decode, self._send)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.pages.discard(page)
            for task in tasks:
                task.cancel()
            ended, _ = await asyncio.wait(tasks)  # unlike gather, it passes a cancellation on as it came
            for task in ended:
                if not task.cancelled() and task.exception() is not None:
                    _log.error("a page's WebSocket failed", exc_info=task.exception())
            with suppress(Exception):
                await asyncio.wait_for(socket.close(1000), 1)

    async def _read(self, page: Page) -> None:
        bucket = Bucket(MESSAGES, 2 * MESSAGES)
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                text = await page.socket.receive_text()
                while not bucket.take():  # the page's own sending then waits
                    await asyncio.sleep(0.01)
                if len(text) > LARGEST:
                    await page.socket.close(1009, f"messages have at most {LARGEST // 2**20} MiB")
                    return
                try:
                    self._hear(page, json.loads(text), len(text))
                except (ValueError, KeyError, TypeError, RecursionError) as error:
                    sentence = str(error) if isinstance(error, LatentiaError) else "the message is none that is known"
                    page.fail(None, sentence)

    def _hear(self, page: Page, message: dict[str, Any], size: int) -> None:
        op = message["op"]
        if op != "decode" and size > LARGEST_OTHER:
            raise ConfigError(f"messages without latents have at most {LARGEST_OTHER // 1024} KiB")
        if op == "watch":
            after = message.get("after")
            page.watch = Watch(str(message["run"]), after if type(after) is int else -1)
            page.rows = True
            page.to_send.set()
        elif op == "unwatch":
            page.watch = None
        elif op == "decode":
            seq = message["seq"]
            if type(seq) is not int or not 0 <= seq < 2**32:
                raise ConfigError("seq must be a whole number from 0 to 4294967295")
            page.wished = message
            page.to_decode.set()
        else:
            raise ConfigError(f"there is no op {str(op)[:40]!r}: use watch, unwatch or decode")

    # -- decoding ----------------------------------------------------------------------------------------------------

    async def _decode(self, page: Page) -> None:
        while True:
            await page.to_decode.wait()
            page.to_decode.clear()
            message, page.wished = page.wished, None
            if message is None:
                continue
            try:
                decoded = await self.work.do("decode", self.frame, message)
            except LatentiaError as error:
                page.fail(message["seq"], str(error))
            except Exception as error:
                page.fail(message["seq"], f"the point could not be decoded ({type(error).__name__})")
            else:
                try:
                    await asyncio.wait_for(page.socket.send_bytes(decoded), PATIENCE)
                except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
                    return  # it does not read, or is gone

    def frame(self, message: dict[str, Any]) -> bytes:
        """The frame that answers a wish to decode.

        Raises:
            LatentiaError: If there is no such run, or the point does not fit its model.
        """
        step = message.get("step")
        if step is not None and type(step) is not int:
            raise ConfigError("step must be a whole number")
        run = self._open(str(message.get("run", "")), step).run
        z = message.get("z")
        if not isinstance(z, list) or len(z) != run.model.latent_dim:
            raise ConfigError(f"z must be a list of {run.model.latent_dim} finite numbers")
        try:
            values = np.array(z)
        except (ValueError, OverflowError) as error:
            raise ConfigError(f"z must be a list of {run.model.latent_dim} finite numbers") from error
        largest = np.finfo(np.float32).max
        if values.ndim != 1 or values.dtype.kind not in "iuf" or not (np.abs(values) <= largest).all():
            raise ConfigError(f"z must be a list of {run.model.latent_dim} finite numbers")
        y = label_for(run, message.get("y")) if is_conditional(run) else None
        point = torch.from_numpy(values.astype(np.float32))[None]
        return pixels.answer(message["seq"], _decoded(run, point, y), run.spec)

    def _open(self, name: str, step: int | None) -> Opened:
        now = time.monotonic()
        known = self._opened.get((name, step))
        if known is None or now - known[0] > REMEMBERED:
            known = (now, self.catalogue.studio.open(name, step))
            self._opened = dict(list(self._opened.items())[-7:]) | {(name, step): known}
        return known[1]

    # -- sending -----------------------------------------------------------------------------------------------------

    async def _send(self, page: Page) -> None:
        """Send what waits; leave if the page does not read."""
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            while True:
                await page.to_send.wait()
                page.to_send.clear()
                errors, page.errors = page.errors, {}
                for seq, sentence in errors.items():
                    await self._say(page, {"op": "error", "seq": seq, "error": sentence})
                if page.news:
                    page.news = False
                    await self._say(page, {"op": "runs"})
                if page.rows:
                    page.rows = False
                    text = await self.work.do("watch", self._rows, page)
                    if text is not None:
                        await asyncio.wait_for(page.socket.send_text(text), PATIENCE)

    async def _say(self, page: Page, message: dict[str, Any]) -> None:
        await asyncio.wait_for(page.socket.send_text(json.dumps(plain(message))), PATIENCE)

    def _rows(self, page: Page) -> str | None:
        """What a page does not have yet of the run that it watches, or ``None``."""
        watch = page.watch
        if watch is None:
            return None
        try:
            directory = self.catalogue.studio.places.run(watch.run)
        except (NoSuchRun, Outside) as error:
            if page.watch is watch:  # and not a newer one
                page.watch = None
            return json.dumps({"op": "error", "seq": None, "run": watch.run, "error": str(error)})
        table, state = self.curves.of(directory), directory.state()
        reset = watch.generation is not None and watch.generation != table.generation
        if watch.generation is None:
            watch.start = sum(1 for row in table.rows if row["step"] <= watch.after)
        elif reset:
            watch.start = 0
        watch.generation, end = table.generation, len(table.rows)
        if end == watch.start and state == watch.state and not reset:
            return None
        rows = table.columns(watch.start)
        watch.start, watch.state = end, state
        message = {"op": "rows", "run": watch.run, "rows": rows, "state": state, "step": table.step}
        return json.dumps(message | ({"reset": True} if reset else {}))

    # -- watching ----------------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Look at the files again and again, while there is anybody to tell."""
        look_again = 0.0
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if not self.pages:
                continue
            began = time.monotonic()
            everywhere = began >= look_again
            with suppress(LatentiaError, OSError):
                if await self.work.do("watch", self._has_changed, everywhere):
                    for page in self.pages:
                        page.news = True
                        page.to_send.set()
            if everywhere:
                ended = time.monotonic()
                look_again = ended + max(LIST_EVERY, min(IDLE * (ended - began), 10.0))
            for page in self.pages:
                if page.watch is not None:
                    page.rows = True
                    page.to_send.set()

    def _has_changed(self, everywhere: bool = True) -> bool:
        """Whether there is news of what goes on, or everywhere in the folder."""
        before = self._seen
        runs = self.catalogue.signature() if before is None or everywhere else before[0]
        self._seen = (runs, self._going_on(runs))
        return before is not None and before != self._seen

    def _going_on(self, runs: dict[str, Any]) -> Any:
        """The jobs, and how the runs stand that go on; found by reading little."""
        commands, root = self.jobs.commands(), self.catalogue.studio.places.root
        own = {str(root / name) for name in commands}
        states = {
            path: state_of(RunDirectory(Path(path)))
            for path, (*_, state) in runs.items()
            if path in own or state in ("created", "running")
        }
        return self.jobs.rows(), dict(self.jobs.faults), commands, states


def _decoded(run: Run, z: torch.Tensor, y: int | None) -> torch.Tensor:
    """The mean of p(x given z) at one point, (1, *event), with as little around the network as can be.

    Between two moves of a pointer a processor has turned to other things, so that every line of Python counts.
    """
    if run.model.discrete or run.model.training:
        return decode(run, snapped(run, z), y)
    with torch.inference_mode():
        labels = None if y is None else torch.full((1,), y)
        return run.model.decode(z.reshape(1, *run.model.latent_shape), labels).mean
