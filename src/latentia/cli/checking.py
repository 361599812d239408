"""The commands that judge a run: doctor."""

from __future__ import annotations

from latentia.cli import options


def doctor(run: options.RunPath, json: options.Json = False) -> None:
    """Say what is wrong with a run, finished or not, and which settings to change.

    Knows posterior collapse, inactive latents, a latent space too small or too large, a likelihood that does not fit,
    unscaled inputs, over-fitting, dead codes, a warm-up as long as the run, and training that has not converged.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"examining {run}"):
        result = runs.open_run(run).doctor().to_json()
    if json:
        printing.document(result)
    else:
        printing.diagnosed(result)
