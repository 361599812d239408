"""What was loaded or computed and may be wanted again; the least recently used goes first. Knows not what it keeps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

LIMIT = 2**30  # bytes


class Shelf:
    """Values by key, bounded by their size in memory; safe for several threads, which never make the same value twice.

    Args:
        limit: Bytes kept at most; a value that is larger alone is kept until the next one comes.

    Example:
        >>> shelf = Shelf(limit=100)
        >>> shelf.get("a", lambda: np.zeros(80, np.uint8)).size, shelf.get("b", lambda: np.zeros(80, np.uint8)).size
        (80, 80)
        >>> shelf.keys()
        ['b']
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of a key, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key][0]
            try:
                value = make()
                with self._lock:
                    self._values[key] = (value, size_of(value))
                    self._drop()
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value

    def _drop(self) -> None:
        while len(self._values) > 1 and self.size > self.limit:
            self._values.popitem(last=False)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(size for _, size in self._values.values())

    def keys(self) -> list[Hashable]:
        """What is kept, the least recently used first."""
        with self._lock:
            return list(self._values)


def size_of(value: Any) -> int:
    """About how many bytes a value holds: of arrays, tensors, modules and what is made of them.

    Example:
        >>> size_of({"a": np.zeros(4, np.float32), "b": b"123"})
        19
    """
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, nn.Module):
        return sum(size_of(tensor) for tensor in value.state_dict().values())
    if isinstance(value, dict):
        return sum(size_of(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(map(size_of, value))
    if is_dataclass(value):
        return sum(size_of(getattr(value, field.name)) for field in fields(value))
    return 1000
