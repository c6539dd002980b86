"""What clients send, and when."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

import msgspec
from msgspec import structs

from benchmarks.routing.memory import SPAN_TOKENS

EXCERPT = Path(__file__).parent / "traces" / "mooncake_conversation_excerpt.jsonl"
MOONCAKE_TICK_S = 3.0  # its timestamps are multiples of it
AZURE_TICK_S = 1.0  # its are exact: moved so far, seeds differ and the load does not


class Request(msgspec.Struct, frozen=True, eq=False):
    """One request; `ids` name its prompt's spans of 512 tokens: equal ids, equal beginnings."""

    number: int
    at: float  # seconds
    input_tokens: int
    output_tokens: int
    ids: tuple[int, ...]
    flow: str = ""
    priority: int = 0

    @property
    def conversation(self) -> int:
        """What its turns have in common: the first span may be an instruction that all share."""
        return self.ids[1] if len(self.ids) > 1 else self.ids[0]


class Trace(msgspec.Struct, frozen=True):
    """Requests in the order of their arrival, the first at 0 s."""

    name: str
    requests: tuple[Request, ...]
    tick_s: float  # times are known to this much

    @property
    def qps(self) -> float:
        """Mean requests a second, as recorded."""
        return len(self.requests) / self.requests[-1].at

    def part(self, begin: float, end: float) -> Trace:
        """Return the requests between two shares of the whole, such as 0.0 and 0.5."""
        size = len(self.requests)
        chosen = self.requests[round(begin * size) : round(end * size)]
        return Trace(self.name, _numbered(chosen), self.tick_s)

    def every(self, count: int) -> Trace:
        """Return every so-manieth conversation: what a fleet is offered that is so much smaller.

        All turns of a conversation stay together, so that as much of a prompt is found in a cache
        as in the whole fleet.
        """
        order: dict[int, int] = {}
        chosen = [
            request
            for request in self.requests
            if order.setdefault(request.conversation, len(order)) % count == 0
        ]
        return Trace(self.name, _numbered(chosen), self.tick_s)

    def of_prompts(self, tokens: int) -> Trace:
        """Return the requests with prompts of at least so many tokens."""
        chosen = [request for request in self.requests if request.input_tokens >= tokens]
        return Trace(self.name, _numbered(chosen), self.tick_s) if tokens else self

    def arrivals(self, qps: float, rng: random.Random | None) -> list[Request]:
        """Return the requests at another rate.

        Each is moved by a part of the tick that `rng` draws; without one, all of a tick arrive in
        its first moment.
        """
        scale = self.qps / qps
        moved = [
            (r.at + (rng.uniform(0.0, self.tick_s) if rng else 0.0), r.number)
            for r in self.requests
        ]
        moved.sort()
        return [
            structs.replace(self.requests[n], number=number, at=at * scale)
            for number, (at, n) in enumerate(moved)
        ]


class _Mooncake(msgspec.Struct):
    timestamp: float  # milliseconds
    input_length: int
    output_length: int
    hash_ids: tuple[int, ...]


def load(path: Path) -> Trace:
    """Read a trace: Mooncake's `.jsonl`, or Azure's `.csv`."""
    if path.suffix == ".csv":
        lines = path.read_text().splitlines()[1:]
        return Trace(path.stem, _numbered(list(_azure(lines))), AZURE_TICK_S)
    read = list(_mooncake(path.read_bytes().splitlines()))
    return Trace(path.stem, _numbered(read), MOONCAKE_TICK_S)


def _numbered(requests: Sequence[Request]) -> tuple[Request, ...]:
    """Count from 0, and from the first one's time."""
    start = requests[0].at
    return tuple(
        structs.replace(request, number=number, at=request.at - start)
        for number, request in enumerate(requests)
    )


def _mooncake(lines: Sequence[bytes]) -> Iterable[Request]:
    decoder = msgspec.json.Decoder(_Mooncake)
    for number, line in enumerate(lines):
        read = decoder.decode(line)
        yield Request(
            number,
            read.timestamp / 1000,
            read.input_length,
            max(1, read.output_length),
            read.hash_ids,
        )


def _azure(lines: Sequence[str]) -> Iterable[Request]:
    """Azure tells nothing of prompts: none has a beginning that another one has."""
    unused = count()
    for number, line in enumerate(lines):
        time, prompt, generated = line.split(",")
        at = datetime.fromisoformat(time[:26] + "+00:00")
        tokens = max(1, int(prompt))
        ids = tuple(next(unused) for _ in range(-(-tokens // SPAN_TOKENS)))
        yield Request(number, at.timestamp(), tokens, max(1, int(generated)), ids)
