from __future__ import annotations

from random import Random

import pytest

from epp.config.build import Built, build
from epp.config.load import default, load, load_preset
from epp.openai.validation import Validation
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation
from tests.config.refusal import HEAD

BUSY = Endpoint("10.0.0.1:8000", load=Load(0.0, waiting=9, running=9, kv_cache_usage=0.9))
IDLE = Endpoint("10.0.0.2:8000", load=Load(0.0, waiting=0, running=0, kv_cache_usage=0.1))


def built(text: str) -> Built:
    return build(load(HEAD + text, "epp.yaml"), seed=1)


def scheduled(found: Built) -> Reservation:
    reservation = found.scheduler.schedule(Query(prompt="x" * 2000), [BUSY, IDLE], Random(1))
    assert isinstance(reservation, Reservation)
    return reservation


def test_the_default_chooses_by_the_cost() -> None:
    decision = scheduled(build(default(), seed=1)).decision
    assert [(column.plugin, column.weight) for column in decision.columns] == [
        ("marginal-cost-scorer", 1.0)
    ]
    assert [verdict.plugin for verdict in decision.verdicts] == ["failure-memory-filter"]


def test_classic_chooses_by_queue_cache_and_prefix() -> None:
    decision = scheduled(build(load_preset("classic"), seed=1)).decision
    assert decision.winner is IDLE
    assert [(column.plugin, column.weight) for column in decision.columns] == [
        ("queue-scorer", 2.0),
        ("kv-cache-utilization-scorer", 2.0),
        ("prefix-cache-scorer", 3.0),
        ("loaded-model-scorer", 2.0),
    ]
    assert decision.picker == "max-score-picker"


def test_classic_returns_to_where_the_prompt_is_cached() -> None:
    found = build(load_preset("classic"), seed=1)
    scheduled(found)
    assert scheduled(found).decision.columns[2].raw == (0.0, 1.0)


def test_plugins_keep_their_names_order_and_parameters() -> None:
    decision = scheduled(
        built("""
plugins:
- name: not-too-busy
  type: utilization-filter
  parameters: {conditions: [{metric: waiting-queue, maxValue: 5}]}
- {name: second, type: load-aware-scorer, parameters: {threshold: 18}}
- {name: first, type: queue-scorer}
- {name: two, type: max-score-picker, parameters: {maxNumOfEndpoints: 2}}
schedulingProfiles:
- name: careful
  plugins:
  - {pluginRef: not-too-busy}
  - {pluginRef: first, weight: 0.5}
  - {pluginRef: second}
  - {pluginRef: two}
""")
    ).decision
    assert decision.profile == "careful"
    assert [(v.plugin, v.dropped) for v in decision.verdicts] == [("not-too-busy", (BUSY.address,))]
    assert [(c.plugin, c.weight) for c in decision.columns] == [("first", 0.5), ("second", 1.0)]
    assert decision.picker == "two"


def test_a_weight_of_zero_is_a_weight() -> None:
    found = built("""
plugins: [{type: queue-scorer}]
schedulingProfiles: [{name: p, plugins: [{pluginRef: queue-scorer, weight: 0}]}]
""")
    assert scheduled(found).decision.totals == (0.0, 0.0)
    assert len(found.warnings) == 1


def test_the_seed_reaches_the_prefix_index() -> None:
    facts = []
    for seed in (1, 1, 2):
        query = scheduled(build(default(), seed)).query
        facts.append(query.facts["approx-prefix-cache-producer"])
    hashes = [getattr(fact, "hashes") for fact in facts]  # noqa: B009
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_without_a_request_handler_all_parsers_are_on() -> None:
    assert build(default(), seed=1).parsers == {
        "openai-parser",
        "anthropic-parser",
        "vllmhttp-parser",
        "vllmgrpc-parser",
        "passthrough-parser",
    }


def test_named_parsers_are_the_only_ones() -> None:
    found = built("""
plugins: [{type: queue-scorer}, {name: chat, type: openai-parser}]
requestHandler: {parsers: [{pluginRef: chat}, {pluginRef: passthrough-parser}]}
""")
    assert found.parsers == {"openai-parser", "passthrough-parser"}
    assert found.warnings == ()


@pytest.mark.parametrize("validation", Validation)
def test_bodies_are_validated_as_the_file_says(validation: Validation) -> None:
    text = f"{HEAD}plugins: [{{type: queue-scorer}}]\nvalidate: {validation.value}\n"
    assert build(load(text, "x"), seed=0).validation is validation
    assert build(default(), seed=0).validation is Validation.LENIENT
