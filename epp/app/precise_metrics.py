"""What is known of the model servers' KV caches, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from epp.app.precise import PreciseCaches
from epp.precise.tally import Tally
from epp.scheduling.kv.feed import Feed

_EVENTS = "llm_d_epp_kv_cache_events_"
_ENDPOINT = "pod_identifier"

Numbers = Iterable[tuple[str, float]]


class PreciseMetrics:
    """Made when a page is asked for; nothing, where no pool has a precise producer."""

    def __init__(self, caches: Callable[[], Iterable[PreciseCaches]]) -> None:
        self._caches = caches

    def collect(self) -> Iterator[Metric]:
        """Render: the protocol of a prometheus_client collector."""
        caches = [one for one in self._caches() if one.producers]
        if not caches:
            return
        subscribers = [s for one in caches for s in one.subscribers.values()]
        feeds = [feed for s in subscribers for feed in s.feeds.all()]
        yield from _of_feeds(feeds)
        yield from _of_tallies([s.tally for s in subscribers])
        yield _phases(feeds)
        producers = [p for one in caches for p in one.producers.values()]
        yield GaugeMetricFamily(
            "llm_d_epp_kv_cache_index_blocks",
            "Blocks that the model servers told of, over all endpoints.",
            sum(len(p.feeds.index) for p in producers),
        )
        yield _tokenized(caches)
        yield GaugeMetricFamily(
            "llm_d_epp_kv_cache_distrusted_models",
            "Models whose tokens are not those that the servers store.",
            sum(len(p.distrusted()) for p in producers),
        )


def _of_feeds(feeds: list[Feed]) -> Iterator[Metric]:
    counters: Mapping[str, tuple[str, Callable[[Feed], float]]] = {
        "messages_received": ("Messages with KV events that were applied.", lambda f: f.messages),
        "gaps": ("Gaps in the numbers that no replay closed.", lambda f: f.gaps),
        "repeated": ("Messages that came twice.", lambda f: f.repeated),
        "server_restarts": ("Numbers that began again.", lambda f: f.restarts),
        "unknown": ("Events of types that are not known.", lambda f: f.unknown),
        "malformed": ("Events that contradict themselves.", lambda f: f.applied.malformed),
        "stored_blocks": ("Blocks that came into a cache.", lambda f: f.applied.stored),
        "removed_blocks": ("Blocks that left a cache.", lambda f: f.applied.removed),
        "orphan_blocks": ("Blocks after one that is not known.", lambda f: f.applied.orphans),
        "skipped": ("Events of other memory or layers.", lambda f: f.applied.other_media),
    }
    for name, (text, read) in counters.items():
        yield _counter(name, text, [(f.address, read(f)) for f in feeds])
    lag = GaugeMetricFamily(
        _EVENTS + "lag_seconds",
        "From the server's clock, in its last message, to the picker's when it came.",
        labels=(_ENDPOINT,),
    )
    for feed in feeds:
        lag.add_metric((feed.address,), feed.lag_s)
    yield lag


def _of_tallies(tallies: list[Tally]) -> Iterator[Metric]:
    by_endpoint: Mapping[str, tuple[str, Callable[[Tally], Counter[str]]]] = {
        "connections": ("Connections that came about.", lambda t: t.connections),
        "garbage": ("Messages that are none.", lambda t: t.garbage),
        "replay_completed": ("Replays that came to their end.", lambda t: t.replays),
        "replay_failures": ("Replays that did not.", lambda t: t.failed_replays),
        "replay_processed": ("Messages of replays.", lambda t: t.replayed),
    }
    for name, (text, read) in by_endpoint.items():
        yield _counter(name, text, [item for tally in tallies for item in read(tally).items()])
    errors = sum((tally.errors for tally in tallies), Counter[str]())
    text = "Sockets that could not be used."
    yield _counter("zmq_errors", text, errors.items(), label="operation")
    yield CounterMetricFamily(
        _EVENTS + "unmatched",
        "Messages whose topic belongs to no endpoint; the log names each topic once.",
        sum(tally.unmatched for tally in tallies),
    )


def _phases(feeds: list[Feed]) -> Metric:
    family = GaugeMetricFamily(
        _EVENTS + "endpoints", "Endpoints by what is known of their caches.", labels=("phase",)
    )
    for phase, count in Counter(feed.phase().value for feed in feeds).items():
        family.add_metric((phase,), count)
    return family


def _tokenized(caches: list[PreciseCaches]) -> Metric:
    family = CounterMetricFamily(
        "llm_d_epp_kv_cache_tokenized_prompts",
        "Prompts whose tokens were wanted, by what became of it.",
        labels=("result",),
    )
    counts: Counter[str] = Counter()
    for one in caches:
        for learner in one.learners.values():
            counts += learner.counts
        counts["dropped"] += sum(p.dropped for p in one.producers.values())
    for result, count in counts.items():
        family.add_metric((result,), count)
    return family


def _counter(name: str, text: str, numbers: Numbers, label: str = _ENDPOINT) -> Metric:
    family = CounterMetricFamily(_EVENTS + name, text, labels=(label,))
    totals: dict[str, float] = {}  # an endpoint may be in two pools, or unknown in both
    for key, number in numbers:
        totals[key] = totals.get(key, 0.0) + number
    for key, total in totals.items():
        family.add_metric((key,), total)
    return family
