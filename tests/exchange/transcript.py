"""Transcripts: events go in, lists state what must come out."""

from __future__ import annotations

from typing import Any, Protocol


class Half(Protocol):
    """Either half of a stream."""

    def receive(self, event: Any, /) -> list[Any]: ...


def play(half: Half, *script: object) -> None:
    """Feed the events of `script` to `half`; each list is what the events before it gave."""
    actions: list[Any] = []
    for step, line in enumerate(script):
        if isinstance(line, list):
            assert actions == line, f"at line {step} of the script"
            actions = []
        else:
            actions += half.receive(line)
    assert actions == [], "the script does not state these actions"
