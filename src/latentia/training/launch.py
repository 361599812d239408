"""What ``torchrun`` says about this process in its environment. Costs no import of PyTorch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from latentia.errors import EnvironmentFault


@dataclass(frozen=True)
class Launch:
    """One of several processes that train one model together.

    Attributes:
        rank: Its number, from 0; process 0 alone writes files and prints.
        world: How many there are.
        local: Its number among those of its machine, which is also that of its GPU.
    """

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def main(self) -> bool:
        """Whether it is the process that writes and prints."""
        return self.rank == 0


def launched(environment: Mapping[str, str] | None = None) -> Launch:
    """Read how this process was started.

    Args:
        environment: In place of ``os.environ``.

    Returns:
        The process of a training that was started alone, unless RANK and WORLD_SIZE (at least 2) say otherwise, as
        ``torchrun`` sets them.

    Raises:
        EnvironmentFault: If they contradict each other, or say no address where the processes meet.

    Example:
        >>> launched({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"})
        Launch(rank=1, world=2, local=1)
        >>> launched({})
        Launch(rank=0, world=1, local=0)
    """
    values = os.environ if environment is None else environment
    if "RANK" not in values or values.get("WORLD_SIZE", "1") == "1":
        return Launch()
    try:
        rank, world = int(values["RANK"]), int(values["WORLD_SIZE"])
        local = int(values.get("LOCAL_RANK", rank))
        if not 0 <= rank < world or local < 0:
            raise ValueError
    except (KeyError, ValueError):
        raise EnvironmentFault(
            "RANK and WORLD_SIZE must be a number below the number of processes, and that number: start the processes "
            "with torchrun, or unset both to train in one"
        ) from None
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in values]
    if missing:
        raise EnvironmentFault(
            f"{missing[0]} is not set, so that the {world} processes cannot find each other: start them with torchrun, "
            "or unset RANK and WORLD_SIZE to train in one"
        )
    return Launch(rank, world, local)
