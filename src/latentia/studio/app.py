"""The studio as an ASGI application: which address answers what.

Owns addresses, statuses and content types; what is computed, and how, is in the modules that it calls.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from latentia.errors import ConfigError, LatentiaError
from latentia.exploration.bundle import plain
from latentia.runs.listing import presets
from latentia.studio import judging, latents, schema, trying, walks
from latentia.studio.catalogue import Catalogue
from latentia.studio.curves import Curves
from latentia.studio.desk import Studio
from latentia.studio.guard import Guard, TooLarge
from latentia.studio.jobs import Jobs, sources
from latentia.studio.live import Hub
from latentia.studio.places import NoSuchRun, Outside
from latentia.studio.query import Query
from latentia.studio.work import Busy, Work

STATIC = Path(__file__).parent / "static"
UNBUILT = (
    "The studio's pages have not been built in this checkout: run `npm ci && npm run build` in frontend/, or install a "
    "released Latentia, which brings them.\n"
)
JSON_LARGEST = 2**21  # bytes
_log = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]


class _RunName(Convertor[str]):
    """A run's name in an address: a folder, or one of several seeds in it."""

    regex = r"[^/]+(?:/seed-[^/]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("run", _RunName())


class Server:
    """The application's parts, and the answers to its addresses.

    Args:
        folder: Where the runs are.
    """

    def __init__(self, folder: str | Path) -> None:
        self.studio, self.curves, self.work = Studio(folder), Curves(), Work()
        self.catalogue, self.jobs = Catalogue(self.studio), Jobs(self.studio)
        self.hub = Hub(self.catalogue, self.curves, self.jobs, self.work)

    def routes(self) -> list[Any]:
        """Every address."""
        run = "/api/runs/{run:run}"
        bundles = {
            "latents": latents.latents,
            "thumbnails": latents.thumbnails,
            "pair": latents.pair,
            "manifold": latents.manifold,
            "traversals": walks.traversals,
            "samples": walks.samples,
            "reconstructions": walks.reconstructions,
            "anomalies": judging.anomalies,
        }
        posted = {"path": walks.path, "path.gif": walks.path_gif, "mean": latents.mean}
        tried = {"encode": trying.encode, "denoise": trying.denoise}
        return [
            Route("/", self.page),
            Route("/api/studio", self._json(self.about)),
            Route("/api/presets/{name}", self._json(lambda r: schema.preset_fields(r.path_params["name"]))),
            Route("/api/runs", self._json(self.runs)),
            *(Route(f"{run}/{name}", self._bundle(make)) for name, make in bundles.items()),
            *(Route(f"{run}/{name}", self._posted(make), methods=["POST"]) for name, make in posted.items()),
            *(Route(f"{run}/{name}", self._tried(make), methods=["POST"]) for name, make in tried.items()),
            Route(f"{run}/metrics", self._json(self.metrics)),
            Route(f"{run}/rates", self._json(self.rates, "think")),
            Route(f"{run}/health", self._json(lambda r: judging.health(self.studio, _run(r)), "think")),
            Route(run, self._json(self.run)),
            Route("/api/compare", self._json(self.compare)),
            Route("/api/compare/images", self._answer(self.compare_images)),
            Route("/api/jobs", _faults_told(self.start), methods=["POST"]),
            Route("/api/jobs/{run:run}/stop", self._ordered(lambda q, r: self.jobs.stop(_run(r))), methods=["POST"]),
            Route(
                "/api/jobs/{run:run}/resume", self._ordered(lambda q, r: self.jobs.resume(_run(r), q)), methods=["POST"]
            ),
            Route("/api/jobs/{run:run}/log", self._json(lambda r: self.jobs.log(_run(r)))),
            WebSocketRoute("/ws", self.hub.serve),
            Route("/{path:path}", self.file),
        ]

    # -- pages -------------------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """The one page."""
        index = STATIC / "index.html"
        return FileResponse(index) if index.is_file() else PlainTextResponse(UNBUILT)

    async def file(self, request: Request) -> Response:
        """A file of the built front end; nothing that is not among them by name."""
        wished = request.path_params["path"]
        known = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
        if wished.startswith("api/") or wished not in known:
            return _fault(404, "there is nothing at this address: open the studio's first page")
        return FileResponse(known[wished])

    # -- answers -----------------------------------------------------------------------------------------------------

    def about(self, request: Request) -> dict[str, Any]:
        """What this studio is, and what can be trained."""
        return {
            "version": version("latentia"),
            "folder": str(self.studio.places.root),
            "presets": presets(),
            "data": sources(),
            "fields": schema.fields(),
            "device": "cpu",
        }

    def runs(self, request: Request) -> dict[str, Any]:
        """The list of runs, what is being started first."""
        starting = self.jobs.rows()
        return plain({"runs": [*starting, *map(self.jobs.told, self.catalogue.rows())]})

    def run(self, request: Request) -> dict[str, Any]:
        """All about one run."""
        return plain(self.jobs.told(self.catalogue.description(_run(request))))

    def metrics(self, request: Request) -> dict[str, Any]:
        """What a run logged, as columns."""
        directory = self.studio.places.run(_run(request))
        table, state = self.curves.of(directory), directory.state()
        after = _query(request).maybe_whole("after", -1, 10**12)
        live = state in ("created", "running")
        return {
            "step": table.step,
            "rows": table.columns(after=after),
            "state": state,
            "live": live,
            "length": table.length,
        }

    def rates(self, request: Request) -> dict[str, Any]:
        """The rates of the latent dimensions through the training."""
        return plain(walks.rates(self.studio, _run(request), self.studio.places.run(_run(request))))

    def compare(self, request: Request) -> dict[str, Any]:
        """Several runs side by side, from their files."""
        return judging.compare(self.catalogue, self.curves, request.query_params.getlist("run"))

    def compare_images(self, request: Request) -> bytes:
        """The same samples through several runs."""
        return judging.compare_images(self.studio, request.query_params.getlist("run"), _query(request))

    async def start(self, request: Request) -> Response:
        """Start a job; what it needs is checked where long work is done, and begun where none gives way to others."""
        query = await _body_query(request)
        if query.word("kind", "train", ("train", "fit-prior")) == "train":
            order = await self.work.do("think", self.jobs.check, query)
            name = await self.work.do("look", self.jobs.begin, order)
        else:
            name = await self.work.do("look", self.jobs.fit_prior, query)
        return JSONResponse({"id": name}, 202)

    # -- how answers are made ----------------------------------------------------------------------------------------

    def _json(self, make: Callable[[Request], Any], pool: str = "look") -> Handler:
        async def handle(request: Request) -> Response:
            text = await self.work.do(pool, lambda: json.dumps(make(request), allow_nan=False))
            return Response(text, media_type="application/json")

        return _faults_told(handle)

    def _answer(self, make: Callable[[Request], bytes]) -> Handler:
        async def handle(request: Request) -> Response:
            return _binary(await self.work.do("think", make, request))

        return _faults_told(handle)

    def _bundle(self, make: Callable[..., bytes]) -> Handler:
        def made(request: Request) -> bytes:
            query = _query(request)
            return make(self.studio, self.studio.open(_run(request), query.maybe_whole("step", 0, 10**12)), query)

        return self._answer(made)

    def _posted(self, make: Callable[..., bytes]) -> Handler:
        async def handle(request: Request) -> Response:
            query = await _body_query(request)
            made = partial(self._made, make, _run(request), query)
            data = await self.work.do("think", made)
            return _binary(data, "image/gif" if data[:4] == b"GIF8" else "application/octet-stream")

        return _faults_told(handle)

    def _made(self, make: Callable[..., bytes], name: str, query: Query, *more: Any) -> bytes:
        return make(self.studio, self.studio.open(name, query.maybe_whole("step", 0, 10**12)), query, *more)

    def _tried(self, make: Callable[..., bytes]) -> Handler:
        async def handle(request: Request) -> Response:
            body, kind = await request.body(), request.headers.get("content-type", "")
            return _binary(await self.work.do("look", self._made, make, _run(request), _query(request), body, kind))

        return _faults_told(handle)

    def _ordered(self, do: Callable[[Query, Request], str]) -> Handler:
        async def handle(request: Request) -> Response:
            query = await _body_query(request)
            return JSONResponse({"id": await self.work.do("look", do, query, request)}, 202)

        return _faults_told(handle)


def create_app(server: Server, *, port: int, token: str | None = None) -> Guard:
    """The guarded application.

    Args:
        server: What it serves.
        port: Where it will listen, on 127.0.0.1: requests to other addresses are refused.
        token: What the launch link carries; drawn at random if not given.
    """

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(server.hub.watch())
        try:
            yield
        finally:
            watching.cancel()
            server.work.close()

    app = Starlette(routes=server.routes(), lifespan=living, exception_handlers={HTTPException: _told})
    return Guard(app, port=port, token=token)


def _run(request: Request) -> str:
    return request.path_params["run"]


def _query(request: Request) -> Query:
    params = request.query_params
    return Query(dict(params), {name: params.getlist(name) for name in params})


async def _body_query(request: Request) -> Query:
    body = await request.body()
    if len(body) > JSON_LARGEST:
        raise ConfigError(f"the request is larger than {JSON_LARGEST // 2**20} MiB: choose fewer samples")
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ConfigError("the body is not JSON") from error
    if not isinstance(values, dict):
        raise ConfigError("the body must be a JSON object")
    return Query(values)


def _binary(data: bytes, kind: str = "application/octet-stream") -> Response:
    return Response(data, media_type=kind)


def _fault(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _told(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses, such as a method."""
    assert isinstance(error, HTTPException)
    return _fault(error.status_code, f"{error.detail}: see docs/studio.md for what there is")


def _faults_told(handle: Handler) -> Handler:
    """Make every fault one sentence and a status."""

    async def told(request: Request) -> Response:
        try:
            return await handle(request)
        except LatentiaError as error:
            return _fault(_status(error), str(error))
        except (OSError, MemoryError) as error:  # such as a run that was deleted meanwhile
            return _fault(409, f"the run could not be read ({type(error).__name__}): reload the list of runs")
        except Exception:
            _log.exception("a request failed: %s", request.url.path)
            return _fault(500, "something went wrong in the studio: its terminal says what")

    return told


def _status(error: LatentiaError) -> int:
    kinds = {Outside: 403, NoSuchRun: 404, TooLarge: 413, Busy: 429, ConfigError: 400}
    return next((status for kind, status in kinds.items() if isinstance(error, kind)), 409)
