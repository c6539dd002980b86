"""For every test."""

from __future__ import annotations

import asyncio

from hypothesis import settings

# looptime asks for the current event loop around tests without one, and Python 3.11 then builds a
# loop that nobody closes: a ResourceWarning, which is an error here. After this it builds none.
asyncio.set_event_loop(None)

# Time limits belong to benchmarks: a busy machine must not fail an example.
settings.register_profile("usual", deadline=None)
# For a night: pytest --hypothesis-profile thorough --timeout 0
settings.register_profile("thorough", deadline=None, max_examples=20_000)
settings.load_profile("usual")
