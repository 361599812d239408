"""The command that shows runs in a browser: studio."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from latentia.cli import options

Folder = Annotated[
    Path,
    typer.Argument(metavar="[DIR]", help="The folder that holds your runs, or one run.", callback=options.expanded),
]
Port = Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port on 127.0.0.1; any free one if 0.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Whether to open a browser.")]


def studio(folder: Folder = Path("runs"), port: Port = 0, browser: Browser = True) -> None:
    """Watch runs and walk through their latent spaces in a browser.

    It serves this machine alone, at the link that it prints. Ctrl-C ends it; trainings that it started go on.
    """
    serve(folder, port=port, browser=browser)


def demo(out: Path | None) -> None:
    """Train the demo's VAE as a process of its own, and show it while it learns.

    It keeps some checkpoints, so that its training can be played back.
    """
    from latentia.runs.directory import new_run_path
    from latentia.runs.fitting import DEMO_SETTINGS

    path = (new_run_path("demo") if out is None else out).absolute()
    begin = {"preset": "vae", "data": "digits", "settings": DEMO_SETTINGS, "name": path.name, "snapshots": 40}
    serve(path.parent, begin=begin)


def serve(folder: Path, *, port: int = 0, browser: bool = True, begin: dict[str, Any] | None = None) -> None:
    """Serve a folder until Ctrl-C, which is no fault."""
    from latentia.studio import serving

    def say(link: str) -> None:
        print(f"the studio shows {folder} at\n{link}", flush=True)
        print("Ctrl-C ends it; trainings that it started go on.", file=sys.stderr)

    try:
        serving.serve(folder, port=port, browser=browser, say=say, begin=begin, leave=_leave)
    except KeyboardInterrupt:
        print("the studio has ended", file=sys.stderr)


def _leave() -> None:
    """End the process at once: what is still computed was for pages that are gone, and Python would wait for it."""
    print("the studio has ended", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
