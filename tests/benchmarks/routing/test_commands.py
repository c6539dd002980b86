"""The command line, through its own parser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.routing import commands
from benchmarks.routing.__main__ import _parser
from benchmarks.routing.report import Page
from benchmarks.routing.trace import Trace
from benchmarks.routing.workers import Workers


def page(*words: str) -> Page:
    common = ["--part", "0:0.1", "--pods", "2", "--seeds", "2"]
    return commands.page(_parser().parse_args([*words, *common]))


def test_compare_has_a_row_for_each_policy_and_says_how_it_came_about() -> None:
    found = page("compare", "--qps", "1", "--policies", "round-robin,classic")
    assert [row[0] for row in found.rows] == ["round-robin", "classic"]
    assert found.facts["trace"] == "mooncake_conversation_excerpt, part 0:0.1, 60 requests"
    assert {"commit", "command", "seeds", "machine"} <= set(found.facts)
    assert "| round-robin | " in found.text()


def test_scenarios_have_a_row_for_each_scenario_and_policy() -> None:
    found = page("scenarios", "--qps", "1", "--policies", "lmetric", "--only", "bursts,pod-death")
    assert [row[:2] for row in found.rows] == [["bursts", "lmetric"], ["pod-death", "lmetric"]]
    assert found.facts["bursts"].startswith("All requests")


def test_a_sweep_has_the_highest_load_of_each_policy() -> None:
    found = page("sweep", "--low", "0.5", "--high", "0.6", "--policies", "lmetric")
    assert found.rows[0][0] == "lmetric"
    assert 0.5 <= float(found.rows[0][1].split()[0]) <= 0.6


def test_a_page_is_written_with_the_figures_of_each_seed_and_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need it: pip install --group bench")
    found = page("compare", "--qps", "1", "--policies", "round-robin,lmetric")
    found.write("one", tmp_path)
    assert (tmp_path / "one.md").read_text() == found.text()
    figures = json.loads((tmp_path / "one.json").read_text())
    assert len(figures["seeds"]["lmetric"]) == 2
    assert (tmp_path / "one.svg").read_text().count("</svg>") == 1


def test_an_unknown_policy_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SystemExit, match="no policy 'rr'; there are round-robin, "):
        page("compare", "--policies", "rr")


def double(item: int, trace: Trace) -> int:
    return 2 * item + len(trace.requests)


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_cases(jobs: int) -> None:
    assert list(Workers(Trace("t", (), 3.0), jobs).map(double, [3, 1, 2])) == [6, 2, 4]
