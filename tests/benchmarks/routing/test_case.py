from __future__ import annotations

import pytest
from msgspec import structs

from benchmarks.routing.case import Case
from benchmarks.routing.policies.catalogue import POLICIES
from benchmarks.routing.scenarios import SCENARIOS, fleet_of
from benchmarks.routing.trace import EXCERPT, Trace, load


@pytest.fixture(scope="module")
def trace() -> Trace:
    return load(EXCERPT).part(0.0, 0.2)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_seed_gives_the_same_figures_again_and_another_one_others(
    policy: str, trace: Trace
) -> None:
    case = Case(policy, 4.0, seed=1, fleet=fleet_of(4, 0.05))
    assert case.run(trace) == case.run(trace) != case.with_seed(2).run(trace)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_runs_and_says_what_it_is(scenario: str, trace: Trace) -> None:
    change = SCENARIOS[scenario]
    assert change.__doc__
    case = change(Case("classic", 0.4, fleet=fleet_of(3, 0.05)))
    assert 0.0 < case.run(trace).goodput <= 1.0


def test_all_at_once_is_worse_than_one_after_the_other(trace: Trace) -> None:
    case = Case("round-robin", 4.0, fleet=fleet_of(4, 0.05))
    assert structs.replace(case, smooth=False).run(trace).ttft_p90 > case.run(trace).ttft_p90


def test_a_slow_pod_makes_a_worse_fleet(trace: Trace) -> None:
    case = Case("round-robin", 3.0, fleet=fleet_of(4, 0.05))
    slow = structs.replace(SCENARIOS["mixed-speeds"](case), qps=case.qps)
    assert slow.run(trace).goodput < case.run(trace).goodput
