"""docs/metrics.md names every metric, log line and field, and no other."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
from prometheus_client import Metric

from epp.app.cluster_metrics import ClusterMetrics
from epp.app.flow_metrics import FlowMetrics
from epp.app.learned_metrics import LearnedMetrics
from epp.app.precise import PreciseCaches
from epp.app.precise_metrics import PreciseMetrics
from epp.config.build import build
from epp.config.load import default, load
from epp.discovery.complaint import Complaint
from epp.discovery.facts import PoolFacts
from epp.discovery.inference_pool import Pool
from epp.exchange.events import Refused
from epp.kube.reflector import ReflectorStats
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.snapshot import Snapshot
from epp.routing.admission.shed import Shed
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.scheduling import registry
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.producers.precise_prefix_cache import (
    PRECISE_PREFIX,
    Held,
    PrecisePrefixCacheProducer,
)
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation
from epp.scrape.errors import Kind
from epp.telemetry.decisions import Decided, explain
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record
from tests.docs.pages import DOCS, ROOT, blocks, code, rows
from tests.server.picker import HEADER, Picker, pod

PAGE = DOCS / "metrics.md"
ENDPOINT = Endpoint("10.0.0.1:8000", load=Load(at=10.0, waiting=1, running=2, kv_cache_usage=0.5))
LEVELS = {"exception": "error"}
GATED = HEADER + "plugins: [{type: marginal-cost-scorer}]\nflowControl: {}\n"


def busy() -> Metrics:
    """Metrics that have seen one of everything."""
    metrics = Metrics(clock=lambda: 10.0)
    metrics.watch(
        "default",
        lambda: Snapshot((ENDPOINT,)),
        lambda: {ENDPOINT.address: 1},
        lambda: {"timeout": 1},
    )
    metrics.stream_opened()
    metrics.scheduled(0.001, "m", ENDPOINT.address)
    metrics.request_started("m")
    metrics.request_started("m")
    metrics.finished(
        Record(
            model="m",
            status=200,
            routed_at=0.1,
            first_byte_at=0.2,
            ended_at=0.3,
            prompt_tokens=5,
            completion_tokens=5,
            cached_tokens=5,
            operation="chat",
            ttft_s=0.2,
            itl_s=0.01,
            endpoint=ENDPOINT.address,
        )
    )
    metrics.finished(Record(status=500, operation="chat", endpoint=ENDPOINT.address))
    metrics.finished(Record(status=503, reason="rejected-no-endpoints"))
    metrics.mode_mismatch("default")
    return metrics


def following() -> ClusterMetrics:
    """The same of a cluster."""
    stats = ReflectorStats(relists=1, restarts=Counter(["closed"]), last_event_at=1.0)
    complaint = Complaint("InferencePool", "default/chat", "spec", "is wrong")
    facts = PoolFacts(pool=Pool("default", "chat", complaints=(complaint,)))
    reflector: Any = type("", (), {"stats": stats})()
    reflectors = {reflector: "pods"}
    pools: Any = {"default/chat": SimpleNamespace(facts=facts)}
    return ClusterMetrics(lambda: reflectors, lambda: pools, lambda: 2.0)


LEARNING = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
- type: observed-latency-scorer
"""


def learned() -> LearnedMetrics:
    """The same of what choosing has learned."""
    scheduler = build(load(LEARNING, "learning.yaml"), seed=1).scheduler
    asked = Query("m", "a prompt " * 200)
    outcome = Outcome(200, True, prompt_tokens=450, cached_tokens=400, ttft_s=0.1, itl_s=0.01)
    for _ in range(2):
        held = scheduler.schedule(asked, [ENDPOINT], Random(1))
        assert isinstance(held, Reservation)
        held.release(outcome, 11.0)
    precise = registry.producers.make(PRECISE_PREFIX, {})
    assert isinstance(precise, PrecisePrefixCacheProducer)
    decision = Decision(at=0.0, profile="", picked=(ENDPOINT,), candidates=(ENDPOINT,))
    precise.release(asked, decision, Held(0.0, told=1.0), outcome, 11.0)
    return LearnedMetrics(lambda: {"default": [*scheduler.figures(), *precise.figures()]})


def listening() -> PreciseMetrics:
    """The same of KV events."""
    producers: dict[str, Any] = {"precise": registry.producers.make(PRECISE_PREFIX, {})}
    caches = PreciseCaches(producers, lambda: Snapshot((ENDPOINT,)))
    (subscriber,) = caches.subscribers.values()
    subscriber.feeds.of(ENDPOINT.address)
    tally, one = subscriber.tally, Counter([ENDPOINT.address])
    tally.garbage = tally.connections = tally.replays = one
    tally.failed_replays = tally.replayed = one
    tally.errors = Counter(["connect"])
    return PreciseMetrics(lambda: [caches])


def gating() -> FlowMetrics:
    """The same of a pool that lets requests wait."""
    picker: Any = Picker(pod(ENDPOINT.address), config=GATED)
    picker.waits.add(Placement(Labels(), Refused(429, "full")), None)
    placement = Placement(Labels(), Refused(429, "full"))
    placement.shed = Shed.FULL
    picker.waits.add(placement, None)
    picker.admission.gate.paces.learn(ENDPOINT.address, 1.0, 1.0)
    return FlowMetrics(lambda: {"default": picker}, picker.clock)


def exposed() -> Iterator[tuple[str, str, set[str]]]:
    collectors = (busy(), following(), listening(), learned(), gating())
    for family in (family for collector in collectors for family in collector.collect()):
        suffix = "_total" if family.type == "counter" else ""
        yield family.name + suffix, family.type, labels(family)


def labels(family: Metric) -> set[str]:
    assert family.samples, f"{family.name} was not exercised"
    return {label for sample in family.samples for label in sample.labels} - {"le"}


def test_the_metrics_in_the_page_are_those_that_are_exposed() -> None:
    table = [
        (code(name)[0], kind, set(code(its_labels)))
        for name, kind, its_labels, _ in rows(PAGE, "Metric", "Type", "Labels", "Meaning")
    ]

    assert sorted(table) == sorted(exposed())


def test_the_kinds_of_failed_readings_are_those_of_the_scraper() -> None:
    kinds = [code(kind)[0] for kind, _ in rows(PAGE, "`kind`", "What happened")]

    assert sorted(kinds) == sorted(get_args(Kind))


def test_the_example_has_the_fields_of_a_decision() -> None:
    example = next(b for b in blocks(PAGE) if b.text.startswith("[\n"))
    (shown,) = msgspec.json.decode(example.text)
    other = Endpoint("10.0.0.2:8000", load=ENDPOINT.load)
    scheduler = build(default(), seed=1).scheduler
    reservation = scheduler.schedule(Query(prompt="Say hello"), [ENDPOINT, other], Random(1))
    assert isinstance(reservation, Reservation)
    decision = reservation.decision

    made = {"age_s": 0.0, "request": Decided(decision, {}).facts, **explain(decision)}

    assert keys(shown) == keys(made)


def keys(node: Any) -> Any:
    """The shape of a JSON value: of a list, that of its first item."""
    match node:
        case {"model": _}:
            return {}
        case dict():
            return {key: keys(value) for key, value in node.items()}
        case list():
            return [keys(item) for item in node[:1]]
        case _:
            return None


def test_the_fields_that_are_explained_are_those_of_the_example() -> None:
    example = next(b for b in blocks(PAGE) if b.text.startswith("[\n"))
    (shown,) = msgspec.json.decode(example.text)
    explained = [name for row in rows(PAGE, "Field", "Meaning") for name in code(row[0])]

    assert sorted(explained) == sorted([*shown, "inputs"])


def test_the_log_lines_in_the_page_are_those_of_the_code() -> None:
    table = [
        (code(message)[0], level) for message, level, _ in rows(PAGE, "Message", "Level", "When")
    ]

    assert sorted(table) == sorted(set(logged()))


def logged() -> Iterator[tuple[str, str]]:
    """Every message that the picker can log, with what it fills in as `…`, and its level."""
    for source in (ROOT / "epp").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level),
                    args=[ast.Constant(value=str(message)), *_],
                ):
                    yield message.replace("%s", "…"), LEVELS.get(level, level)
                case _:
                    pass
