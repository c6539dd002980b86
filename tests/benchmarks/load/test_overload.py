from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from msgspec import structs

from benchmarks.load.goals import Goal
from benchmarks.load.goals import table as goals_table
from benchmarks.load.outcome import Outcome
from benchmarks.load.overload import OFFER, PROMISE, Run, judged, run, table
from benchmarks.load.performance import Performance
from benchmarks.load.waiting import Patience
from epp.demo.overload import gated
from epp.demo.sim.driver import Lateness

OUTCOME = Outcome(100, 10, 0, 0.85, 0.2, 1.0, 1.5, 0.03)
LATENESS = Lateness(steps=1000, worked_s=40.0, late_s=0.5, lost_s=0.0)
PERFORMANCE = Performance(OUTCOME, {"picker": 0.2, "Envoy": 0.1}, 10.0, LATENESS)
GATED = Run(PERFORMANCE, OUTCOME, 0.999, (60.0, 61.0), {})
OPTIONS = argparse.Namespace(replicas=2, mode="buffered", transport="native")
SEEN = Patience([3.0, 4.0, 9.0], [2.0], 500, 600, 600, 30.0)


def ungated(goodput: float) -> Run:
    outcome = structs.replace(OUTCOME, goodput=goodput)
    return structs.replace(GATED, measured=structs.replace(PERFORMANCE, outcome=outcome))


def missed(goals: list[Goal]) -> list[str]:
    return [goal.what for goal in goals if not goal.met]


def test_all_goals_can_be_met() -> None:
    found = judged(ungated(0.16), GATED, SEEN)
    assert missed(found) == []
    assert goals_table(found).count("| met |") == len(found)


@pytest.mark.parametrize(
    ("before", "after", "seen", "what"),
    [
        (ungated(0.18), GATED, SEEN, "goodput of the one that lets wait"),
        (ungated(0), structs.replace(GATED, choosing_in_time=0.98), SEEN, "of the requests"),
        (ungated(0), structs.replace(GATED, held={"x": 1.0}), SEEN, "held by gauges"),
        (ungated(0), structs.replace(GATED, rss_mib=(60.0, 64.0)), SEEN, "picker's memory"),
        (ungated(0), GATED, structs.replace(SEEN, left_after_ms=[3.0, 11.0]), "a client"),
        (ungated(0), GATED, structs.replace(SEEN, answered=599), "answered after SIGTERM"),
    ],
)
def test_each_goal_can_be_missed(before: Run, after: Run, seen: Patience, what: str) -> None:
    [name] = missed(judged(before, after, seen))
    assert name.startswith(what)


def test_the_table_has_what_is_simulated_beside_what_was_measured() -> None:
    shown = table([("may wait", GATED)])
    assert "| | may wait | as simulated |" in shown
    assert "| had both targets met | 85.0% | 85.0% |" in shown


def test_how_far_the_machine_carried_a_run_is_told() -> None:
    assert PERFORMANCE.carried() == (
        "a step's tokens came 0.5 ms late on average, 0.0 s of the servers' 40 s were lost; "
        "cores: picker 0.02, Envoy 0.01"
    )


@pytest.mark.envoy
async def test_nothing_is_held_after_the_last_answer(tmp_path: Path) -> None:
    config = tmp_path / "picker.yaml"
    config.write_text(gated(PROMISE))
    offer = structs.replace(OFFER, qps=3.0, seconds=2.0)
    found = await run([f"--config-file={config}"], "gated-shed", offer, OPTIONS)
    assert found.measured.outcome.requests == found.foreseen.requests > 0
    assert found.measured.outcome.failed == 0
    assert found.held == {}
    assert found.cpu_ms > 0.0
    assert 0.0 < found.choosing_in_time <= 1.0
