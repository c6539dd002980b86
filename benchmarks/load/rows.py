"""What is compared: one row for each kind of work that a picker has."""

from __future__ import annotations

from typing import Literal

import msgspec

from epp.demo.bootstrap import Mode

Headline = Literal["picker_us", "p50_ms", "rate", "rss_mib", "picker_cores"]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Requests through Envoy, as many at a time as `concurrency` says, each after the last."""

    mode: Mode = "duplex"  # buffered: with mode override allowed
    body_bytes: int = 2400
    chunks: int = 20
    gap_ms: int = 0  # 0: all of them at once
    concurrency: int = 16


class Idle(msgspec.Struct, frozen=True):
    """No requests: the picker has only its replicas to watch."""

    replicas: int


class Row(msgspec.Struct, frozen=True):
    """One kind of work, and the figure by which pickers are compared at it."""

    name: str
    title: str
    work: Load | Idle
    headline: Headline = "picker_us"
    twin: str = ""  # the row to compare with where the other picker does not serve this one


REPLICAS = 8  # behind every row with load

ROWS = (
    Row("duplex", "2.4 KB prompt, 20 chunks at once, 16 at a time, duplex", Load()),
    Row(
        "buffered",
        "the same, buffered with override",
        Load(mode="buffered"),
        twin="duplex",
    ),
    Row(
        "long-prompt",
        "350 KB prompt, 20 chunks at once, 4 at a time, duplex",
        Load(body_bytes=350_000, concurrency=4),
    ),
    Row(
        "long-answer",
        "2.4 KB prompt, 200 chunks 5 ms apart, 16 at a time, duplex",
        Load(chunks=200, gap_ms=5),
    ),
    Row(
        "long-answer-buffered",
        "the same, buffered with override",
        Load(mode="buffered", chunks=200, gap_ms=5),
        twin="long-answer",
    ),
    Row(
        "one-at-a-time",
        "2.4 KB prompt, 20 chunks at once, one at a time, duplex: time of a request",
        Load(concurrency=1),
        "p50_ms",
    ),
    Row(
        "highest-rate",
        "2.4 KB prompt, 20 chunks at once, 64 at a time, duplex: requests a second",
        Load(concurrency=64),
        "rate",
    ),
    Row("idle-8", "idle, 8 replicas", Idle(8), "picker_cores"),
    Row("idle-100", "idle, 100 replicas", Idle(100), "picker_cores"),
    Row("rss", "memory under the load of the first row", Load(), "rss_mib"),
)


def chosen(names: str) -> list[Row]:
    """Return the rows that a comma-separated list names, in its order; all if it is empty."""
    if not names:
        return list(ROWS)
    table = {row.name: row for row in ROWS}
    wanted = names.split(",")
    if unknown := [name for name in wanted if name not in table]:
        raise ValueError(f"no row {', '.join(unknown)}; there are {', '.join(table)}")
    return [table[name] for name in wanted]
