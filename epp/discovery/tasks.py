"""Tasks that callbacks start."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def start(
    group: asyncio.TaskGroup, coroutine: Coroutine[Any, Any, None]
) -> asyncio.Task[None] | None:
    """Run `coroutine` in `group`; None if the group is ending, as everything in it then is.

    A callback may be called once more while its group is being cancelled. The error of a group
    that takes no more tasks would take the place of the cancellation.
    """
    try:
        return group.create_task(coroutine)
    except RuntimeError:
        coroutine.close()
        return None
