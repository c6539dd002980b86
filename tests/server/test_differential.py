from __future__ import annotations

from tests.server.differential import compare


async def test_conversations_go_the_same_way_over_both_transports() -> None:
    """A few of them; `make differential` plays ten thousand."""
    await compare(150, seed=9)
