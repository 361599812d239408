"""Starting the studio's server: a port of this machine, a link with a token, a browser."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from latentia.errors import EnvironmentFault, RunError


def serve(
    folder: str | Path = "runs",
    *,
    port: int = 0,
    browser: bool = True,
    say: Callable[[str], Any] = lambda link: None,
    begin: Mapping[str, Any] | None = None,
    leave: Callable[[], Any] = lambda: None,
) -> None:
    """Serve a folder of runs on this machine alone, until Ctrl-C.

    Trainings that were started from it go on when it ends.

    Args:
        folder: Where the runs are, or a run, which is then shown first.
        port: On 127.0.0.1; any free one if 0.
        browser: Whether to open one.
        say: Told the link once the server listens.
        begin: A training to start and to show first, as the page would ask for it: preset, data, settings, name.
        leave: Called at the end if something is still computed for a page: the interpreter would wait for that.

    Raises:
        EnvironmentFault: If Starlette, uvicorn or websockets is not installed, or the port is taken.
        RunError: If there is no such folder.
        ConfigError: If what is to begin is wrong.
    """
    prepared = prepare(folder, port=port, begin=begin)
    say(prepared.link)
    if browser:
        webbrowser.open(prepared.opening())
    try:
        prepared.run()
    except KeyboardInterrupt:
        if prepared.busy():
            leave()
        raise
    if prepared.busy():
        leave()


@dataclass(frozen=True)
class Prepared:
    """A server that has its port and can run.

    Attributes:
        server: uvicorn's, which ends when its ``should_exit`` is set.
        listening: The port.
        link: What lets a browser in.
        opening: Makes a link that lets one browser in once, since a browser's command line is there for all to see.
        busy: Whether anything is being computed for a page.
    """

    server: Any
    listening: socket.socket
    link: str
    opening: Callable[[], str]
    busy: Callable[[], bool]

    def run(self) -> None:
        """Serve until Ctrl-C."""
        self.server.run(sockets=[self.listening])


def prepare(folder: str | Path, *, port: int = 0, begin: Mapping[str, Any] | None = None) -> Prepared:
    """Take a port and start what is to begin; arguments and errors as those of :func:`serve`."""
    folder, first = (Path(folder), None) if begin else _shown_first(Path(folder).expanduser())
    try:
        import uvicorn
        import websockets  # noqa: F401

        from latentia.studio.app import Server, create_app
        from latentia.studio.live import LARGEST
        from latentia.studio.query import Query
    except ImportError as error:
        raise EnvironmentFault(
            f"the studio needs the package {error.name}, which is not installed: pip install 'latentia[studio]'"
        ) from error
    import torch

    torch.set_num_threads(1)  # a training beside it has the others
    listening = _listen(port)
    server = Server(folder)
    app = create_app(server, port=listening.getsockname()[1])
    if begin:
        first = server.jobs.train(Query(begin))
    shown = "" if first is None else f"#/run/{quote(first, safe='')}"
    config = uvicorn.Config(
        app,
        log_level="warning",
        ws="websockets-sansio",
        http="h11",
        loop="asyncio",
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,  # pixels come raw, in the time that a pointer takes to move on
        limit_concurrency=1000,
        timeout_graceful_shutdown=2,
        server_header=False,
        proxy_headers=False,
    )
    opening, busy = (lambda: app.ticket() + shown), (lambda: server.work.busy)
    return Prepared(uvicorn.Server(config), listening, app.link + shown, opening, busy)


def _shown_first(folder: Path) -> tuple[Path, str | None]:
    """The folder to serve, and the run in it that is shown first."""
    if (folder / "config.toml").is_file():
        folder = folder.absolute()
        return folder.parent, folder.name
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file: name the folder that holds your runs, as in `latentia studio runs`")
    if not folder.is_dir() and folder != Path("runs"):  # which the first training makes
        raise RunError(f"there is no folder {folder}: name the one that holds your runs, as in `latentia studio runs`")
    return folder, None


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise EnvironmentFault(
            f"port {port} of this machine cannot be had ({error.strerror}): leave --port out for any free one"
        ) from error
    listening.listen(128)
    return listening
