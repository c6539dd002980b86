"""Bodies in pieces."""

from __future__ import annotations

from collections.abc import Iterator

# Some proxies take at most 64 KiB in one streamed reply; the message around it needs room too.
CHUNK_BYTES = 62_000


def chunks(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut `body`; each piece comes with whether it is the last. An empty body is one piece."""
    last = max(0, (len(body) - 1) // CHUNK_BYTES)
    for n in range(last + 1):
        yield body[n * CHUNK_BYTES : (n + 1) * CHUNK_BYTES], n == last
