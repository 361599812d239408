"""Arrays on their way to the browser: a JSON header and raw numbers behind it, so that nothing is parsed.

First the header's length (uint32, little-endian), then the header as JSON, ``{arrays: [{name, dtype, shape, offset}],
...facts}``, blanks up to a multiple of 8, then the arrays, each at a multiple of 8 from the beginning of the data.
Knows nothing of what is in them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_TYPES = {"f4": "<f4", "u1": "|u1", "i4": "<i4", "u2": "<u2"}
_ALIGNED = 8


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Pack facts and arrays; real numbers become 32-bit, whole ones keep 8 or 16 bits or become 32-bit.

    Example:
        >>> unpack(pack({"plane": "raw"}, {"z": np.ones((2, 3))}))[1]["z"].shape
        (2, 3)
    """
    described, pieces, offset = [], [], 0
    for name, array in arrays.items():
        kind = _kind(array)
        data = np.ascontiguousarray(array, dtype=_TYPES[kind]).tobytes()
        described.append({"name": name, "dtype": kind, "shape": list(array.shape), "offset": offset})
        pieces += [data, b"\0" * (-len(data) % _ALIGNED)]
        offset += len(data) + len(pieces[-1])
    header = json.dumps({"arrays": described, **plain(facts)}, allow_nan=False).encode()
    header += b" " * (-(4 + len(header)) % _ALIGNED)
    return b"".join([len(header).to_bytes(4, "little"), header, *pieces])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what :func:`pack` wrote: the facts and the arrays."""
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    start = 4 + length + -(4 + length) % _ALIGNED
    arrays = {}
    for item in header.pop("arrays"):
        kind, count = np.dtype(_TYPES[item["dtype"]]), math.prod(item["shape"])
        arrays[item["name"]] = np.frombuffer(data, kind, count, start + item["offset"]).reshape(item["shape"])
    return header, arrays


def plain(value: Any) -> Any:
    """The same value for JSON: what is not finite becomes ``None``, as JSON has no word for it.

    Example:
        >>> plain({"psnr": float("inf"), "of": (1, np.float32(0.5))})
        {'psnr': None, 'of': [1, 0.5]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _kind(array: np.ndarray) -> str:
    if array.dtype.kind == "f":
        return "f4"
    return {"|u1": "u1", "|b1": "u1", "<u2": "u2"}.get(array.dtype.str, "i4")
