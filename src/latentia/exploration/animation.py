"""Images in time: frames that become an animated GIF. Knows nothing of what they show."""

from __future__ import annotations

import io

import numpy as np

from latentia.errors import DataError
from latentia.exploration.images import enlarge


def gif_bytes(
    frames: np.ndarray, *, seconds: float = 0.12, hold: float = 0.6, back: bool = True, side: int = 224
) -> bytes:
    """Make an animated GIF that repeats for ever.

    All frames share one palette of up to 256 colours, so that a colour does not flicker.

    Args:
        frames: uint8, (T, H, W, 3), at least one; small ones are enlarged, pixel by pixel.
        seconds: How long a frame is shown.
        hold: How long the first and the last are.
        back: Whether the way back is shown as well.
        side: Pixels of the longer side, at least.

    Returns:
        The file's content; the same frames give the same bytes.

    Raises:
        DataError: If there is no frame.

    Example:
        >>> gif_bytes(np.zeros((3, 8, 8, 3), np.uint8))[:6]
        b'GIF89a'
    """
    from PIL import Image

    if len(frames) == 0:
        raise DataError("there is no frame to animate: give at least one")
    frames = enlarge(frames, side)
    strip = Image.fromarray(np.concatenate(list(frames), axis=1))
    palette = strip.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    pictures = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [hold, *[seconds] * (len(pictures) - 2), hold][: len(pictures)]
    if back:
        pictures, durations = pictures + pictures[-2:0:-1], durations + durations[-2:0:-1]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[round(1000 * duration) for duration in durations],
        loop=0,
        optimize=False,
        disposal=1,
    )
    return buffer.getvalue()
