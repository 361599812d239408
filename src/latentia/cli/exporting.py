"""The commands that give a model away: export onnx, export page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import options

Overwrite = Annotated[
    bool, typer.Option("--overwrite", metavar="", help="Replace what an earlier export wrote at the same place.")
]


def onnx(
    run: options.RunPath,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder that the files go to, instead of onnx/ in the run's.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: options.Json = False,
) -> None:
    """Write encoder and decoder as ONNX files.

    They run without Latentia and without PyTorch: data in, latents out, and back. Both are checked in onnxruntime
    against PyTorch, on samples and on many random inputs; above a difference of 1e-4 nothing is written.
    """
    from latentia import export
    from latentia.cli import printing, progress

    with progress.working(f"exporting {run}"):
        result = export.export_onnx(run, out, overwrite=overwrite).to_json()
    if json:
        printing.document(result)
    else:
        printing.onnx_exported(result)


def page(
    run: options.RunPath,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH.html",
            help="Where the page goes, instead of page.html in the run's folder.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    overwrite: Overwrite = False,
    json: options.Json = False,
) -> None:
    """Write one HTML file in which the decoder runs.

    The latent plane with the encoded test samples, traversals, samples and the run's numbers, in one file that opens
    by a double click with the network off. Its decoder is checked against PyTorch, as that of `latentia export onnx`.
    """
    from latentia import export
    from latentia.cli import printing, progress

    with progress.working(f"exporting {run}"):
        result = export.export_page(run, out, overwrite=overwrite).to_json()
    if json:
        printing.document(result)
    else:
        printing.page_exported(result)
