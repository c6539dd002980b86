"""For every test."""

from __future__ import annotations

import asyncio

# looptime asks for the current event loop around tests without one, and Python 3.11 then builds a
# loop that nobody closes: a ResourceWarning, which is an error here. After this it builds none.
asyncio.set_event_loop(None)
