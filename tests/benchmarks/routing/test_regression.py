"""A small part of the benchmark, so that a change that makes choices worse is seen at once.

Means over seeds on 600 recorded requests and four pods; the margins are wider than chance.
"""

from __future__ import annotations

import statistics
from functools import cache

import pytest

from benchmarks.routing.case import Case
from benchmarks.routing.scenarios import SCENARIOS, fleet_of
from benchmarks.routing.trace import EXCERPT, Trace, load

SEEDS = range(5)
QPS = 3.2


@cache
def trace() -> Trace:
    return load(EXCERPT)


@cache
def means(
    policy: str, scenario: str = "steady", qps: float = QPS, seeds: range = SEEDS
) -> dict[str, float]:
    """Return goodput, what was refused, and 90th percentiles in seconds."""
    case = SCENARIOS[scenario](Case(policy, qps, fleet=fleet_of(4, 0.05)))
    runs = [case.with_seed(seed).run(trace()) for seed in seeds]
    return {
        "refused": statistics.fmean(run.refused for run in runs),
        "goodput": statistics.fmean(run.goodput for run in runs),
        "ttft": statistics.fmean(run.ttft_p90 for run in runs),
        "tpot": statistics.fmean(run.tpot_p90 for run in runs),
    }


def test_marginal_cost_serves_more_within_the_targets_than_the_best_rival() -> None:
    ours, rival = means("marginal-cost"), means("lmetric")
    assert ours["goodput"] > rival["goodput"] + 0.02
    assert ours["ttft"] < 1.02 * rival["ttft"]
    assert ours["tpot"] < rival["tpot"]


def test_marginal_cost_is_far_better_than_the_classic_profile() -> None:
    ours, classic = means("marginal-cost"), means("classic")
    assert ours["goodput"] > classic["goodput"] + 0.08
    assert ours["ttft"] < 0.75 * classic["ttft"]


def test_the_figures_have_not_become_worse() -> None:
    assert means("marginal-cost")["goodput"] > 0.825
    assert means("marginal-cost")["ttft"] < 1.5
    assert means("classic")["goodput"] > 0.69
    assert means("classic")["ttft"] < 2.5


@pytest.mark.parametrize(
    ("scenario", "loss", "longer"),
    [("stale-30s", 0.02, 1.1), ("coefficients-2", 0.04, 1.2), ("tokens-off-30%", 0.06, 1.3)],
)
def test_what_the_picker_is_told_wrongly_costs_little(
    scenario: str, loss: float, longer: float
) -> None:
    right, wrong = means("marginal-cost"), means("marginal-cost", scenario)
    assert wrong["goodput"] > right["goodput"] - loss
    assert wrong["ttft"] < longer * right["ttft"]


def test_beyond_saturation_the_gate_keeps_most_requests_within_the_targets() -> None:
    """Beyond what four pods can do; without a gate nearly nobody is served in time."""
    seeds, qps = range(2), 4.5
    ungated = means("marginal-cost", qps=qps, seeds=seeds)["goodput"]
    held, shed = means("gated", qps=qps, seeds=seeds), means("gated-shed", qps=qps, seeds=seeds)
    assert ungated < 0.2
    assert held["goodput"] > 0.75
    assert shed["goodput"] > 0.72
    assert held["refused"] < 0.05


def test_below_saturation_the_gate_takes_nothing_away() -> None:
    seeds, qps = range(2), 2.0
    ungated = means("marginal-cost", qps=qps, seeds=seeds)["goodput"]
    assert means("gated", qps=qps, seeds=seeds)["goodput"] > ungated - 0.01
