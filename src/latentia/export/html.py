"""One HTML file to give away: a run's latent space, with the decoder running in the page.

Owns the file: its parts are the built front end (``page/``, from ``frontend/src/page``), the decoder as ONNX, and the
scene. It asks for nothing from anywhere, so that it opens by a double click with the network off.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from latentia import storage
from latentia.data.seeds import generator
from latentia.errors import ConfigError, RunError
from latentia.export.checking import Check
from latentia.export.onnx import checked_graphs
from latentia.runs.run import Run, open_run
from latentia.runs.uses.scene import Scene, means, scene

REFERENCES = 16  # latents of the data, and random ones, on which the page compares itself with PyTorch when it opens
BUILT = Path(__file__).parent / "page"
FILE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Latentia">
<title>{title}</title>
<!-- Contains onnxruntime-web (MIT licence, Microsoft Corporation) and Preact (MIT licence, Jason Miller). -->
<style>{style}</style>
</head>
<body>
<div id="app"><p class="waiting muted" role="status">Starting the decoder …</p></div>
{blocks}
<script>{script}</script>
</body>
</html>
"""


@dataclass(frozen=True)
class PageExport:
    """The page.

    Attributes:
        path: Where it is.
        bytes: How large.
        check: How far its decoder is from PyTorch.
    """

    path: Path
    bytes: int
    check: Check

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"page": str(self.path), "bytes": self.bytes, "check": self.check.to_json()}


def export_page(run: Run | str | Path, out: str | Path | None = None, *, overwrite: bool = False) -> PageExport:
    """Write one HTML file with a run's latent space, in which the decoder runs.

    It shows the encoded test samples on a plane through which one drags, traversals, samples and the run's numbers.
    The decoder is an ONNX graph in onnxruntime-web, single-threaded WebAssembly that is in the file; nothing is ever
    fetched. The graph is checked in onnxruntime against PyTorch before the file is written, as
    :func:`latentia.export_onnx` does, and again in each browser that opens it, on 32 latents that it carries with
    PyTorch's answers.

    Args:
        run: The run, or its directory.
        out: A path that ends in ``.html``; ``page.html`` in the run's folder if not given.
        overwrite: Replace a file that is there.

    Returns:
        Where it is, its size, and what the check found.

    Raises:
        RunError: If the graph differs from PyTorch by more than 1e-4, or the model has no ONNX form.
        ConfigError: If there is a file at ``out`` already, or its name ends in something else.
        DataError: If the run's data cannot be found.
        EnvironmentFault: If the extra ``onnx`` is not installed.
    """
    run = run if isinstance(run, Run) else open_run(run)
    path = _path(run, out, overwrite)
    _, (_, decoder), check = checked_graphs(run)
    content = assemble(run, scene(run), decoder, check).encode()
    storage.make_folder(path.parent)
    storage.write_bytes(path, content)
    return PageExport(path, len(content), check)


def _path(run: Run, out: str | Path | None, overwrite: bool) -> Path:
    if out is None and run.directory is None:
        raise RunError("a run without a directory has no place for the page: say where, with out=...")
    path = Path(out) if out is not None else run.directory.path / "page.html"  # type: ignore[union-attr]
    if path.suffix.lower() != ".html":
        raise ConfigError(f"the page is written as HTML: give a path that ends in .html, not {path}")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder: give the path of a file with --out")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} is there already: add --overwrite, or give another path with --out")
    return path


def assemble(run: Run, shown: Scene, decoder: bytes, check: Check) -> str:
    """The text of the page."""
    facts = {"check": {"max_difference": check.differences["decoder"]["mean"], **_counts(check)}}
    parts = {
        "wasm": (BUILT / "runtime.wasm.gz").read_bytes(),
        "decoder": gzip.compress(decoder, mtime=0),
        "scene": gzip.compress(shown.pack(facts, references(run, shown)), mtime=0),
    }
    blocks = [
        f'<script type="application/gzip" id="{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in parts.items()
    ]
    script, style = (_inline(BUILT / name) for name in ("page.js", "page.css"))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src '{_hash(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    title = html.escape(f"{shown.facts['title']}: its latent space")
    return FILE.format(policy=policy, title=title, style=style, script=script, blocks="\n".join(blocks))


def references(run: Run, shown: Scene) -> dict[str, Any]:
    """Latents, and what PyTorch makes of them, for the page to compare itself with."""
    source = generator("cpu", 0, "export", "page")
    z = torch.from_numpy(shown.arrays["z"][:REFERENCES])
    if not run.model.discrete:
        z = torch.cat([z, 2 * torch.randn((REFERENCES, z.shape[1]), generator=source)])
    y = torch.randint(0, len(run.spec.classes), (len(z),), generator=source) if run.model.conditional else None
    labels = {} if y is None else {"reference_y": y.to(torch.int32).numpy()}
    return {"reference_z": z.numpy(), "reference_x": means(run, z, y).numpy(), **labels}


def _counts(check: Check) -> dict[str, Any]:
    return {name: value for name, value in check.to_json().items() if name in ("tolerance", "real", "random", "split")}


def _inline(path: Path) -> str:
    """The text of a built file, as it may stand within its element."""
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script").replace("</style", "<\\/style").strip()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
