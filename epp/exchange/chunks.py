"""Bodies in pieces."""

from __future__ import annotations

from collections.abc import Sequence

# Some proxies take at most 64 KiB in one streamed reply; the message around it needs room too.
CHUNK_BYTES = 62_000


def chunks(body: bytes) -> Sequence[tuple[bytes, bool]]:
    """Cut `body`; each piece comes with whether it is the last. An empty body is one piece."""
    if len(body) <= CHUNK_BYTES:
        return ((body, True),)
    starts = range(0, len(body), CHUNK_BYTES)
    return [(body[start : start + CHUNK_BYTES], start == starts[-1]) for start in starts]
