"""How much memory this machine has, and which data are too large to be loaded into it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SHARE = 8  # files larger than this fraction (one SHARE-th) of the memory are read from disk while they are used
LARGEST = 2**30  # bytes; and so are all files larger than this
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory() -> int | None:
    """Bytes of memory that this process may use: the machine's, or less where its control group says so.

    Returns:
        The number, or None where the operating system does not tell.
    """
    found: list[int] = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for name in _GROUPS:
        try:
            found.append(int(Path(name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such group, or no limit ("max")
            continue
    return min((limit for limit in found if limit > 0), default=None)


def is_large(size: int) -> bool:
    """Whether files of that many bytes in all are to be read from disk while they are used, rather than loaded.

    They are if they exceed 1 GiB or an eighth of the memory: loading takes twice their size while parts are held out.

    Example:
        >>> is_large(2**40), is_large(1000)
        (True, False)
    """
    memory = machine_memory()
    return size > LARGEST or (memory is not None and size > memory // SHARE)
