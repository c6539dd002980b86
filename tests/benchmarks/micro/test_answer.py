"""The benchmark of a streamed answer's chunks, in small."""

from __future__ import annotations

from benchmarks.micro.answer import measure


def test_every_api_is_read_and_edited() -> None:
    found = {row.name: row.us for row in measure(20, 1)}
    for api in ("chat", "completions", "responses", "messages"):
        assert len(found[f"core: read, {api}"]) == len(found[f"core: edit, {api}"]) == 1
    assert len(found) == 15
