"""What tells one conversation from another."""

from __future__ import annotations

from collections.abc import Mapping

from epp.openai.opening import opening

SESSION = "x-session-id"


def sticky_key(headers: Mapping[str, str], prompt: str) -> bytes:
    """Return the same bytes for each request of a conversation.

    The client's own name for it, if it gives one; otherwise how the conversation began.
    """
    session = headers.get(SESSION)
    if session:
        return b"session:" + session.encode("utf-8", "surrogatepass")
    return b"opening:" + opening(prompt).encode("utf-8", "surrogatepass")
