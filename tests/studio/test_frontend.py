"""The front end's own tests, and that the committed build is what its source builds.

Skipped, saying so, where there is no Node or `npm ci` was not run in frontend/, unless LATENTIA_REQUIRE_BROWSER is set.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
SOURCE = ROOT / "src" / "latentia"
BUILDS = {
    "production": SOURCE / "studio" / "static",
    "page": SOURCE / "export" / "page",
    "widget": SOURCE / "studio" / "widget",
}
"""What Vite's modes build, and where it is committed."""


def run(tool: str, *arguments: str) -> str:
    """Run a tool that npm installed."""
    path = FRONTEND / "node_modules" / ".bin" / tool
    if shutil.which("node") is None or not path.exists():
        sentence = "the front end's checks need Node and `npm ci` in frontend/"
        pytest.fail(sentence) if os.environ.get("LATENTIA_REQUIRE_BROWSER") else pytest.skip(sentence)
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run([path, *arguments], cwd=FRONTEND, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_types_hold():
    run("tsc", "--noEmit")


def test_its_own_tests_pass():
    assert "failed" not in run("vitest", "run")


@pytest.mark.parametrize("mode", BUILDS)
def test_what_is_committed_is_what_the_source_builds(mode: str, tmp_path: Path):
    run("vite", "build", "--mode", mode, "--outDir", str(tmp_path / "built"), "--emptyOutDir")
    built, committed = files(tmp_path / "built"), files(BUILDS[mode])
    assert sorted(built) == sorted(committed)
    differing = [name for name in built if built[name] != committed[name]]
    assert not differing, (
        f"{differing} differ from what the source builds: run `npm run` build, page and widget in frontend/"
    )


def test_the_page_loads_nothing_from_elsewhere():
    page = (BUILDS["production"] / "index.html").read_text()
    assert "//" not in page.replace("<!doctype html>", "")
    assert (
        "style=" not in page and "<style" not in page and page.count("<script") == page.count('<script type="module"')
    )


def files(folder: Path) -> dict[str, bytes]:
    """The files beneath a folder by name; what is packed is unpacked, since Node's versions pack differently."""
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()}
