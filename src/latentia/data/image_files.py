"""One picture file as an array: any of the usual formats, any colour mode, never more pixels than is safe.

Owns how a picture becomes 8-bit grey or RGB values, for training and for use. Knows neither folders nor models.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latentia.data.array_files import shown
from latentia.errors import DataError

PICTURES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm", ".avif",
)  # fmt: skip
_FORMATS = ("PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "AVIF")  # none that could start a program
_ORIENTATION = 0x0112  # the EXIF tag that says how a camera was held

SIXTEEN, TRANSPARENT, ANIMATED, TURNED = "16-bit", "transparent", "animated", "turned"
REMARKS = {
    SIXTEEN: "{} of 16 bits {} rounded to 8; a .npy file keeps them",
    TRANSPARENT: "{} with transparency {} laid on white",
    ANIMATED: "{} with several frames: the first {} taken",
    TURNED: "{} {} turned upright, as the camera says",
}


def remark_on(remark: str, pictures: str, *, several: bool) -> str:
    """What a reader should know of some pictures.

    Args:
        remark: Which of the remarks.
        pictures: How they are called, such as ``a picture`` or ``3 pictures``.
        several: Whether these are more than one.

    Example:
        >>> remark_on(TURNED, "3 pictures", several=True)
        '3 pictures were turned upright, as the camera says'
    """
    return REMARKS[remark].format(pictures, "were" if several and remark != ANIMATED else "was")


class Picture(NamedTuple):
    """A picture that was read.

    Attributes:
        values: (C, H, W), uint8; one channel where all colours are grey, else red, green and blue.
        before: Height and width before it was resized.
        remarks: Keys of :data:`REMARKS`.
    """

    values: np.ndarray
    before: tuple[int, int]
    remarks: tuple[str, ...] = ()


@contextmanager
def careful() -> Iterator[None]:
    """Within it, a picture of dangerously many pixels is an error, and Pillow's remarks on odd files are not shown.

    Not for several threads at once: enter it before they are started.
    """
    from PIL import Image

    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_picture(path: Path, *, size: tuple[int, int] | None = None, channels: int | None = None) -> Picture:
    """Read a picture, within :func:`careful`.

    It is turned as its camera says, transparency is laid on white, 16 bits are rounded to 8, and of several frames the
    first is taken.

    Args:
        path: The file.
        size: Height and width to resize to, bilinear; None: as it is.
        channels: 1 or 3 to get that many; None: 1 where red, green and blue are equal everywhere, else 3.

    Raises:
        DataError: If it cannot be read; the message is the reason alone.
    """
    from PIL import Image

    with _opened(path) as picture:
        several = picture.format != "MPO" and getattr(picture, "is_animated", False)  # MPO: photographs with previews
        remarks = [ANIMATED] if several else []
        turn = _turn(picture)
        plain, more = _to_8_bit(picture)
        remarks += more
        if turn is not None:
            plain = plain.transpose(turn)
            remarks.append(TURNED)
        if channels is not None:
            plain = plain.convert("L" if channels == 1 else "RGB")
        before = (plain.height, plain.width)
        if size is not None and size != before:
            plain = plain.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        values = np.asarray(plain)
    if values.ndim == 2:
        return Picture(values[None].copy(), before, tuple(remarks))
    if channels is None and (values == values[..., :1]).all():
        return Picture(values[None, ..., 0].copy(), before, tuple(remarks))
    return Picture(np.ascontiguousarray(values.transpose(2, 0, 1)), before, tuple(remarks))


def picture_size(path: Path) -> tuple[int, int]:
    """Read a picture's height and width alone, within :func:`careful`.

    Raises:
        DataError: If it cannot be read; the message is the reason alone.
    """
    from PIL import Image

    with _opened(path) as picture:
        aside = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270, Image.Transpose.TRANSPOSE)
        turned = _turn(picture) in (*aside, Image.Transpose.TRANSVERSE)
        return (picture.width, picture.height) if turned else (picture.height, picture.width)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a picture; whatever goes wrong until it is closed becomes a short reason."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN]) as picture:
            yield picture
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError("empty" if path.stat().st_size == 0 else "no picture, or damaged at its beginning") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"more than {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except PermissionError as error:
        raise DataError("not allowed to read it") from error
    except FileNotFoundError as error:
        raise DataError("it does not exist") from error
    except Exception as error:  # decoders let a dozen kinds of error through for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError("truncated" if "truncated" in reason else shown(reason)) from error


def _turn(picture: Any) -> Any:
    """How to transpose a picture so that it stands upright, or None."""
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    try:
        return turns.get(picture.getexif().get(_ORIENTATION))
    except Exception:  # damaged EXIF data say nothing
        return None


def _to_8_bit(picture: Any) -> tuple[Any, list[str]]:
    """A picture of mode L or RGB, and what had to be done for it."""
    from PIL import Image

    mode = picture.mode
    if mode.startswith("I;16") or (mode == "I" and picture.format == "PNG"):  # older Pillow reads such files as I
        deep = np.asarray(picture).astype(np.uint32)
        return Image.fromarray(((deep + 128) // 257).astype(np.uint8)), [SIXTEEN]
    if mode in ("I", "F") or mode.startswith("I;"):
        raise DataError("pixels of 32 bits; save such pictures as .npy")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        full = picture.convert("RGBA")
        lowest, _ = full.getchannel("A").getextrema()
        if lowest == 255:
            return full.convert("RGB"), []
        return Image.alpha_composite(Image.new("RGBA", full.size, "white"), full).convert("RGB"), [TRANSPARENT]
    if mode in ("1", "L"):
        return picture.convert("L"), []
    return picture.convert("RGB"), []
