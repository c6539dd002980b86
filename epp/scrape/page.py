"""From a metrics page to a `Load`, by search: the page is never parsed as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from epp.pool.load import Load, LoraAdapters
from epp.scrape import sample
from epp.scrape.engines import Engine, Metric
from epp.scrape.lines import Lines
from epp.scrape.token_times import TokenTimes

T = TypeVar("T")

# What is beyond these bounds is a broken page; believed, it would make all other servers look idle.
_MOST_REQUESTS = 1e6
_MOST_BLOCKS = 1e9
_MOST_BLOCK_TOKENS = 1e6
# Rounding on the server's side may show a full cache as a hair more than full.
_FULL = 1.01
# A name that is not there costs a search of the whole page, as much as all that are. So its
# absence is believed for a while: most servers have no LoRA adapters and never will.
_ABSENT_S = 1.0


class PageReader:
    """Reads the pages of one server; what it remembers only saves time.

    A number that is missing, not finite or out of range makes its metric None, and so does a bad
    one among several series: an unknown load does less harm than a wrong one.
    """

    def __init__(self, engine: Engine) -> None:
        usage = _mean_usage if engine.kv_cache_usage_of == "mean" else _max_usage
        self.tells_waiting = engine.waiting is not None
        self._waiting = _Reading(engine.waiting, _requests)
        self._running = _Reading(engine.running, _requests)
        self._kv_cache_usage = _Reading(engine.kv_cache_usage, usage)
        self._loras = _Reading(engine.loras, _newest_loras)
        self._block_size = _Reading(engine.block_size, _block_size)
        self._blocks = _Reading(engine.blocks, _blocks)
        self._token_times = TokenTimes(engine.token_times) if engine.token_times else None

    def read(self, page: bytes, at: float) -> Load:
        """Return the load that `page`, arrived at the monotonic second `at`, tells of."""
        return Load(
            at,
            self._waiting.read(page, at),
            self._running.read(page, at),
            self._kv_cache_usage.read(page, at),
            self._loras.read(page, at),
            self._block_size.read(page, at),
            self._blocks.read(page, at),
            itl_s=None if self._token_times is None else self._token_times.read(page, at),
        )


class _Reading(Generic[T]):
    """One metric. Lines that are those of the page before mean what they meant then."""

    def __init__(
        self, metric: Metric | None, meaning: Callable[[Metric, list[bytes]], T | None]
    ) -> None:
        self._metric = metric
        self._lines = Lines(metric.name if metric else "")
        self._meaning = meaning
        self._seen: list[bytes] = []
        self._meant: T | None = None
        self._search_at = -math.inf

    def read(self, page: bytes, at: float) -> T | None:
        if self._metric is None or at < self._search_at:
            return None
        lines = self._lines.find(page)
        if lines != self._seen:
            self._seen, self._meant = lines, self._meaning(self._metric, lines)
        if not lines:
            self._search_at = at + _ABSENT_S
        return self._meant


def _requests(metric: Metric, lines: list[bytes]) -> int | None:
    return _sum(_numbers(metric, lines), _MOST_REQUESTS)


def _blocks(metric: Metric, lines: list[bytes]) -> int | None:
    return _sum(_numbers(metric, lines), _MOST_BLOCKS)


def _block_size(metric: Metric, lines: list[bytes]) -> int | None:
    """Take the first: the engines of one server are configured alike."""
    sizes = _numbers(metric, lines)
    return int(sizes[0]) if sizes and 1 <= sizes[0] <= _MOST_BLOCK_TOKENS else None


def _mean_usage(metric: Metric, lines: list[bytes]) -> float | None:
    usages = _usages(metric, lines)
    return sum(usages) / len(usages) if usages else None


def _max_usage(metric: Metric, lines: list[bytes]) -> float | None:
    return max(_usages(metric, lines), default=None)


def _usages(metric: Metric, lines: list[bytes]) -> list[float]:
    usages = _numbers(metric, lines)
    if not _all_within(usages, _FULL):
        return []
    return [min(usage, 1.0) for usage in usages]


def _newest_loras(_: Metric, lines: list[bytes]) -> LoraAdapters | None:
    """Read the series with the highest value, which is the time it was written.

    vLLM starts a new series whenever the set of adapters changes, and leaves the old ones there.
    """
    times = [sample.value(line) for line in lines]
    newest = max((time for time in times if time >= 0), default=None)
    if newest is None:
        return None
    labels = sample.labels(lines[times.index(newest)])
    return LoraAdapters(
        running=_adapters(labels.get("running_lora_adapters", "")),
        waiting=_adapters(labels.get("waiting_lora_adapters", "")),
        max_loaded=_sum([sample.number(labels.get("max_lora", ""))], _MOST_REQUESTS) or 0,
    )


def _adapters(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(",")) - {""}


def _numbers(metric: Metric, lines: list[bytes]) -> list[float]:
    if metric.where:
        lines = [line for line in lines if set(metric.where) <= sample.labels(line).items()]
    if metric.label:
        numbers = [sample.number(sample.labels(line).get(metric.label, "")) for line in lines]
    else:
        numbers = [sample.value(line) for line in lines]
    return numbers if metric.scale == 1.0 else [number * metric.scale for number in numbers]


def _sum(numbers: list[float], most: float) -> int | None:
    if not numbers or not _all_within(numbers, most):
        return None
    return int(sum(numbers))


def _all_within(numbers: list[float], most: float) -> bool:
    # NaN compares false with everything.
    return all(0 <= number <= most for number in numbers)
