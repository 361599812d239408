"""The latent explorer in a notebook: the exported page's front end, with the kernel as its decoder.

Owns the widget and the static picture that stays where there is no kernel; what is shown is the scene of
:mod:`latentia.runs.uses.scene`, the front end is built from ``frontend/src/widget``.
"""

from __future__ import annotations

import base64
import html
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentia.errors import EnvironmentFault, LatentiaError
from latentia.exploration.latents import plot_projection
from latentia.exploration.projection import project
from latentia.exploration.style import figure_bytes
from latentia.runs.run import Run, open_run
from latentia.runs.uses.scene import Scene, means, scene

BUILT = Path(__file__).parent / "widget" / "widget.js"
AT_ONCE = 4096  # latents that are decoded for one message, at most


class Explorer:
    """A run's latent space in a notebook; the last line of a cell shows it.

    Attributes:
        run: The run.
        scene: What is shown.
        widget: The anywidget; its decoder is this kernel.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.scene = run, scene(run)
        self.name = uuid.uuid4().hex[:12]
        self.widget = _widget(self.scene.pack({"static": self.name}))
        self.widget.on_msg(self._answer)

    def _answer(self, widget: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        """Decode what the front end asks for."""
        seq = content.get("seq")
        try:
            z, y = self._wish(content, buffers)
            found = means(self.run, z, y).flatten(1).contiguous().float().numpy()
        except (LatentiaError, KeyError, TypeError, ValueError, IndexError) as error:
            widget.send({"seq": seq, "error": f"the kernel cannot decode this: {error}"})
            return
        widget.send({"seq": seq}, buffers=[found.tobytes()])

    def _wish(self, content: dict[str, Any], buffers: list[Any]) -> tuple[torch.Tensor, Any]:
        n, y = int(content["n"]), content.get("y")
        z = np.frombuffer(buffers[0], dtype="<f4").reshape(n, self.run.model.latent_dim)
        if not (1 <= n <= AT_ONCE and np.isfinite(z).all()):
            raise ValueError(f"between 1 and {AT_ONCE:,} latents of finite numbers are decoded at once")
        if not self.run.model.conditional:
            return torch.from_numpy(z.copy()), None
        labels = torch.as_tensor([y] * n if isinstance(y, int) else y, dtype=torch.int64)
        return torch.from_numpy(z.copy()), labels

    def _ipython_display_(self) -> None:
        from IPython.display import display  # pyright: ignore[reportMissingImports]

        static = _static(self.run, self.scene, self.name)
        display({"text/html": static, "text/plain": repr(self)}, raw=True)  # hidden where the widget lives
        display(self.widget)

    def __repr__(self) -> str:
        return f"Explorer({self.run.name}, {len(self.scene.arrays['z']):,} {self.scene.facts['source']})"


def explore(run: Run | str | Path) -> Explorer:
    """Show a run's latent space in a notebook.

    The encoded test samples on a plane through which one drags, with the decoded image following, traversals and
    samples. The kernel decodes. A saved notebook, and one that is exported to HTML, shows a picture of the plane.

    Args:
        run: The run, or its directory.

    Returns:
        What the last line of a cell shows.

    Raises:
        DataError: If the run's data cannot be found.
        EnvironmentFault: If the extra ``notebook`` is not installed.
    """
    return Explorer(run if isinstance(run, Run) else open_run(run))


def _widget(packed: bytes) -> Any:
    try:
        import anywidget  # pyright: ignore[reportMissingImports]
        import traitlets  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise EnvironmentFault(
            f"the explorer needs the package anywidget ({error}): pip install 'latentia[notebook]'"
        ) from error

    class Widget(anywidget.AnyWidget):
        """The front end, and the bytes that it begins with."""

        _esm = BUILT.read_text(encoding="utf-8")
        scene = traitlets.Bytes().tag(sync=True)

    return Widget(scene=packed)


def _static(run: Run, shown: Scene, name: str) -> str:
    """The plane as a picture, for where no kernel is."""
    labels = shown.arrays.get("labels")
    projected = project(shown.arrays["z"], "auto" if shown.arrays["z"].shape[1] != 3 else "pca")
    title = f"posterior means of {len(shown.arrays['z']):,} {shown.facts['source']} ({run.name})"
    y = None if labels is None else labels.astype(np.int64)
    figure = plot_projection(projected, y, run.spec.classes if labels is not None else (), title=title)
    picture = base64.b64encode(figure_bytes(figure, dpi=96)).decode()
    words = html.escape(f"{title}. Run the cell again to drag through it.")
    return (
        f'<figure class="latentia-static" data-explorer="{name}" style="margin: 0">'
        f'<img alt="{words}" src="data:image/png;base64,{picture}" style="max-width: 100%">'
        f'<figcaption style="opacity: 0.7">{words}</figcaption></figure>'
    )
