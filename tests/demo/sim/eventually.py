from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(true: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait for what happens in another task, or on a socket, and tells nobody."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)
