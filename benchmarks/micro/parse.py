"""What it costs to understand a body: its model, its prompt and its flags.

    python -m benchmarks.micro.parse [--kib 400] [--rounds 7] [--json]

Bodies of one size and different make, read as strictly as each row says; then what is done to a
body beside reading it. Each round visits all rows once. CPU time, not wall time.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable
from typing import Any

import brotli
import msgspec

from benchmarks.conditions import conditions, spread
from epp.openai.apis import PARSERS
from epp.openai.encodings import expand
from epp.openai.request import Request
from epp.openai.rewrite import Change, changed
from epp.openai.validation import Validation, parser
from epp.openai.zstd import zstd

_WORDS = "the quick brown fox jumps over a lazy dog and runs along the river ".split()
_JSON = "application/json"
_CHAT = "/v1/chat/completions"
_LIMIT_BYTES = 1 << 30


class Row(msgspec.Struct):
    """Something done to a body; times in microseconds of CPU."""

    body: str
    done: str
    us: list[float] = []


def bodies(kib: int, rng: random.Random) -> dict[str, tuple[str, bytes]]:
    """Return path and body by what is in it, each of about `kib` KiB."""
    size = kib * 1024
    text = " ".join(rng.choices(_WORDS, k=size // 4))[:size]
    lines = _fitting(text.replace(" ", "\n"), size)
    turns = [
        {"role": ("user", "assistant")[n % 2], "content": text[at : at + 1000]}
        for n, at in enumerate(range(0, size, 1000))
    ]
    tool = {"type": "function", "function": {"name": "f", "description": text[:1000]}}
    numbers = [rng.randrange(128_000) for _ in range(size // 7)]
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * size}"}}
    return {
        "chat, one turn": _chat([{"role": "user", "content": text}]),
        "chat, a turn for each KB": _chat(turns),
        "chat, a line break for each word": _chat([{"role": "user", "content": lines}]),
        "chat, not ASCII": _chat([{"role": "user", "content": "ж" * (size // 2)}]),
        "chat, a picture": _chat([{"role": "user", "content": [picture]}]),
        "chat, tools": _chat([{"role": "user", "content": "x"}], tools=[tool] * kib),
        "completion, token ids": (
            "/v1/completions",
            msgspec.json.encode({"model": "m", "prompt": numbers}),
        ),
        "messages, a turn for each KB": (
            "/v1/messages",
            msgspec.json.encode({"model": "m", "messages": turns, "max_tokens": 5}),
        ),
    }


def _fitting(text: str, size: int) -> str:
    """Return the beginning of a text of which about `size` bytes are sent."""
    return text[: len(text) * size // len(msgspec.json.encode(text))]


def _chat(messages: list[dict[str, Any]], **more: Any) -> tuple[str, bytes]:
    fields = {"model": "m", "messages": messages, "stream": True, "max_tokens": 256, **more}
    return _CHAT, msgspec.json.encode(fields)


def work(kib: int) -> list[tuple[Row, Callable[[], None]]]:
    """Return every row, and what it measures."""
    made = bodies(kib, random.Random(7))
    reads = [
        (Row(name, f"read, {validation.value}"), _reading(path, body, validation))
        for name, (path, body) in made.items()
        for validation in (Validation.LENIENT, Validation.STRICT)
    ]
    name, (_, body) = next(iter(made.items()))
    compressed = {
        "gzip": gzip.compress(body),
        "br": brotli.compress(body, quality=4),
        "zstd": zstd.compress(body),
    }
    return [
        *reads,
        (Row(name, "model and stream_options written anew"), _rewriting(body)),
        *(
            (Row(name, f"expanded from {coding}"), _expanding(data, coding))
            for coding, data in compressed.items()
        ),
    ]


def _reading(path: str, body: bytes, validation: Validation) -> Callable[[], None]:
    parse = parser(PARSERS, validation)

    def read() -> None:
        assert isinstance(parse(path, _JSON, body), Request)

    return read


def _rewriting(body: bytes) -> Callable[[], None]:
    change = Change("another", ask_usage=True)

    def rewrite() -> None:
        assert changed(body, _JSON, change) is not None

    return rewrite


def _expanding(data: bytes, coding: str) -> Callable[[], None]:
    def undo() -> None:
        assert isinstance(expand(data, coding, _LIMIT_BYTES), bytes)

    return undo


def measure(rows: list[tuple[Row, Callable[[], None]]], rounds: int, repeats: int) -> list[Row]:
    """Fill the rows."""
    for _ in range(rounds):
        for row, call in rows:
            began = time.process_time()
            for _ in range(repeats):
                call()
            row.us.append((time.process_time() - began) / repeats * 1e6)
    return [row for row, _ in rows]


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    arguments.add_argument("--kib", type=int, default=400)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    rows = measure(work(options.kib), options.rounds, repeats=max(20, 8000 // options.kib))
    where = conditions("benchmarks.micro.parse", "msgspec", "brotli")
    if options.json:
        print(json.dumps({**where, "rows": msgspec.to_builtins(rows)}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"rounds: {options.rounds}; {options.kib} KiB; median (lowest-highest), CPU µs\n")
    print("| body | done | µs |\n|---|---|---|")
    for row in rows:
        print(f"| {row.body} | {row.done} | {spread(row.us)} |")


if __name__ == "__main__":
    main()
