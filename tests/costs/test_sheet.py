from __future__ import annotations

from epp.costs.expression import CelError, Expression
from epp.costs.facts import Facts
from epp.costs.sheet import TYPES, Cost, CostSheet

FACTS = Facts(
    input_tokens=1,
    cached_input_tokens=2,
    cache_creation_input_tokens=3,
    output_tokens=4,
    total_tokens=5,
    reasoning_tokens=6,
)


def test_each_type_is_charged_under_its_key() -> None:
    sheet = CostSheet([Cost(name.lower(), name) for name in TYPES])
    assert sheet.metadata(FACTS, {"response_model": "m"}, no_failure) == {
        "io.envoy.ai_gateway": {
            "response_model": "m",
            "inputtoken": 1,
            "cachedinputtoken": 2,
            "cachecreationinputtoken": 3,
            "outputtoken": 4,
            "totaltoken": 5,
            "reasoningtoken": 6,
        }
    }


def test_a_cost_that_fails_is_told_and_left_out_and_the_others_are_charged() -> None:
    told: list[str] = []
    costs = [
        Cost("bad", expression=Expression("1u / (input_tokens - 1u)")),
        Cost("good", expression=Expression("total_tokens * 0.5")),
    ]
    sheet = CostSheet(costs, "own.namespace")
    assert sheet.metadata(FACTS, {}, lambda key, error: told.append(f"{key}: {error}")) == {
        "own.namespace": {"good": 2.5}
    }
    assert told == ["bad: INVALID_ARGUMENT: divide by zero"]


def no_failure(key: str, error: CelError) -> None:
    raise AssertionError(key) from error
