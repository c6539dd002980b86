from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Column, Decision, Verdict
from epp.telemetry.decisions import Decisions, explain, sentence

IDLE = Endpoint(
    "127.0.0.1:8000",
    name="idle",
    load=Load(at=9.96, waiting=0, running=1, kv_cache_usage=0.3),
)
BUSY = Endpoint("127.0.0.1:8001", load=Load(at=9.9, waiting=6, running=8, kv_cache_usage=0.9))
UNKNOWN = Endpoint("127.0.0.1:8002")


def decision(*picked: Endpoint) -> Decision:
    return Decision(
        at=10.0,
        profile="default",
        picked=picked or (IDLE,),
        candidates=(BUSY, IDLE, UNKNOWN),
        verdicts=(Verdict("label-selector-filter", ("127.0.0.1:8009",)),),
        columns=(
            Column("queue-scorer", 2.0, (0.0, 1.0, 0.5)),
            Column("kv-cache-utilization-scorer", 2.0, (0.1, 0.7, 0.5)),
            Column("prefix-cache-scorer", 3.0, (1.0, 1.0, 0.0)),
        ),
        totals=(3.2, 6.4, 2.0),
        picker="max-score-picker",
    )


def alone(picked: Endpoint = IDLE) -> Decision:
    return Decision(
        at=10.0, profile="p", picked=(picked,), candidates=(picked,), totals=(0.0,), picker="r"
    )


def test_the_sentence_says_who_won_by_what_and_who_came_next() -> None:
    assert sentence(decision()) == (
        "127.0.0.1:8000 with 6.40 (queue-scorer 2x1.00, kv-cache-utilization-scorer 2x0.70, "
        "prefix-cache-scorer 3x1.00), next 127.0.0.1:8001 with 3.20"
    )


def test_the_sentence_says_when_the_picker_passed_over_a_higher_score() -> None:
    assert sentence(decision(UNKNOWN)).endswith(
        "prefix-cache-scorer 3x0.00), drawn by max-score-picker before 127.0.0.1:8000 with 6.40"
    )


def test_the_sentence_of_an_only_candidate_names_no_other() -> None:
    assert sentence(alone()) == "127.0.0.1:8000 with 0.00 (no scorers), the only candidate"


def test_the_sentence_says_how_long_a_request_waited_and_for_what() -> None:
    waited = msgspec.structs.replace(alone(), waited_s=0.25, waited_for="queue")
    assert sentence(waited).endswith("the only candidate; waited 250 ms (queue)")
    assert (explain(waited)["waited_ms"], explain(waited)["waited_for"]) == (250.0, "queue")


def test_an_explanation_has_verdicts_scores_inputs_and_the_margin() -> None:
    found = explain(decision(IDLE, BUSY))
    assert found["sentence"] == sentence(decision())
    assert found["picked"] == ["127.0.0.1:8000", "127.0.0.1:8001"]
    assert found["score"] == 6.4
    assert found["runner_up"] == {"address": "127.0.0.1:8001", "score": 3.2, "margin": 3.2}
    assert found["filters"] == [{"filter": "label-selector-filter", "dropped": ["127.0.0.1:8009"]}]
    first = found["candidates"][0]
    assert first["address"] == "127.0.0.1:8000"
    assert first["scores"][1] == {
        "scorer": "kv-cache-utilization-scorer",
        "weight": 2.0,
        "raw": 0.7,
        "weighted": 1.4,
    }
    assert first["inputs"] == {
        "engine": "",
        "waiting": 0,
        "waiting_is_ours": False,
        "running": 1,
        "kv_cache_usage": 0.3,
        "age_ms": 40.0,
    }


def test_candidates_come_by_falling_score_and_an_unknown_load_has_no_inputs() -> None:
    candidates = explain(decision())["candidates"]
    assert [c["address"][-4:] for c in candidates] == ["8000", "8001", "8002"]
    assert candidates[2]["inputs"] is None


@pytest.mark.parametrize("made", [decision(), decision(UNKNOWN), alone(), alone(UNKNOWN)])
def test_every_explanation_is_json(made: Decision) -> None:
    assert msgspec.json.decode(msgspec.json.encode(explain(made))) == explain(made)


def test_the_ring_keeps_the_last_decisions_newest_first() -> None:
    ring = Decisions(capacity=3)
    for stream in range(5):
        ring.add(decision(), stream=stream)
    assert [entry.facts["stream"] for entry in ring.latest(10)] == [4, 3, 2]
    assert [entry.facts["stream"] for entry in ring.latest(1)] == [4]
    assert len(ring) == 3


def test_a_ring_without_room_keeps_nothing() -> None:
    ring = Decisions(capacity=0)
    ring.add(decision(), stream=1)
    assert ring.latest(10) == []


class Priced:
    """A scorer's account of itself."""

    basis = "approximate"

    def terms(self, index: int) -> Mapping[str, float]:
        return {"queue_s": 0.123456789 * index, "requests": 3.0}

    def words(self, index: int) -> str:
        return f"{index} s"


def test_a_scorer_that_explains_itself_is_quoted() -> None:
    decision = Decision(
        at=10.0,
        profile="p",
        picked=(IDLE,),
        candidates=(BUSY, IDLE),
        columns=(Column("cost", 1.0, (0.0, 1.0), Priced()),),
        totals=(0.0, 1.0),
    )
    best, _ = explain(decision)["candidates"]
    (score,) = best["scores"]
    assert score["basis"] == "approximate"
    assert score["terms"] == {"queue_s": 0.123457, "requests": 3.0}
    assert sentence(decision) == (
        f"{IDLE.address} with 1.00 (cost 1x1.00 approximate, 1 s), "
        f"next {BUSY.address} with 0.00 (0 s)"
    )
