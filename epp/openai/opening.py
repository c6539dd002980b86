"""The part of a prompt that all requests of one conversation share."""

from __future__ import annotations

from epp.openai import prompt

_FIRST_USER = prompt.message("user", "")
_NEXT_TURN = prompt.message("", "")[:2]  # how every message begins
_PLAIN_CHARS = 1024


def opening(text: str) -> str:
    """Return the prompt up to the end of the user's first message.

    What comes before it, the instructions and tools, is often the same for everybody. A prompt
    without messages has no such place: its first 1,024 characters must do.
    """
    start = text.find(_FIRST_USER)
    if start < 0:
        return text[:_PLAIN_CHARS]
    end = text.find(_NEXT_TURN, start + len(_FIRST_USER))
    return text if end < 0 else text[:end]
