from __future__ import annotations

import json

import pytest

from epp.server.progress import Progress
from tests.server.picker import Clock

SSE = {"content-type": "text/event-stream"}


def chunk(text: str, **more: object) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}}]
    return b"data: %b\n\n" % json.dumps({"choices": choices, **more}).encode()


def read(*pieces: tuple[float, bytes], headers: dict[str, str] = SSE) -> Progress:
    clock, progress = Clock(), Progress(headers, "chat")
    for now, data in pieces:
        clock.now = now
        progress.feed(data, clock)
    return progress


def test_the_first_token_is_not_the_event_that_names_the_role() -> None:
    progress = read((1.0, chunk("")), (2.0, chunk("a")), (3.0, chunk("b")))
    assert progress.first_token_at == 2.0


@pytest.mark.parametrize(
    ("pieces", "itl_s"),
    [
        ([], None),
        ([(1.0, chunk("a"))], None),
        ([(1.0, chunk("a")), (1.5, chunk("b")), (3.0, chunk("c"))], 1.0),
        # the server says how many there were: it may put several into one event
        ([(1.0, chunk("a")), (3.0, chunk("bcd", usage={"completion_tokens": 5}))], 0.5),
        ([(1.0, chunk("a")), (3.0, chunk("b")), (9.0, chunk(""))], 2.0),
    ],
)
def test_the_time_between_tokens_is_a_mean(
    pieces: list[tuple[float, bytes]], itl_s: float | None
) -> None:
    assert read(*pieces).itl_s() == itl_s


def test_json_has_no_first_token_that_could_be_seen() -> None:
    body = b'{"usage": {"completion_tokens": 5}}'
    progress = read((1.0, body), headers={"content-type": "application/json"})
    progress.reader.end()
    assert (progress.first_token_at, progress.itl_s()) == (None, None)
