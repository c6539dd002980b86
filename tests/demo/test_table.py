from __future__ import annotations

import io

from rich.console import Console, RenderableType

from epp.demo.scoreboard import Scoreboard
from epp.demo.table import comparison, live_table
from epp.demo.traffic import Answer
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Decision

KNOWN = Endpoint("10.0.0.1:8000", load=Load(0.0, waiting=3, running=7, kv_cache_usage=0.42))
SILENT = Endpoint("10.0.0.2:8000")
NAMES = {"10.0.0.1:8000": "one", "10.0.0.2:8000": "two"}


def rendered(what: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(what)
    return out.getvalue()


def board() -> Scoreboard:
    scores = Scoreboard()
    scores.tell(Answer("one", 0.25, 1.0, 50, 100))
    return scores


def test_the_live_table_shows_load_answers_and_the_last_decision() -> None:
    decision = Decision(0.0, "default", (KNOWN,), (KNOWN,), totals=(0.0,))
    text = rendered(live_table("now", NAMES, [KNOWN, SILENT], board(), decision))
    [one] = [line for line in text.splitlines() if "│ one " in line]
    assert all(cell in one for cell in ("1", "7", "3", "42%", "250 ms"))
    [two] = [line for line in text.splitlines() if "│ two " in line]
    assert "never" in two
    assert "?" in two
    assert "last decision: one" in text


def test_before_the_first_decision_the_table_says_so() -> None:
    assert "no decision yet" in rendered(live_table("now", NAMES, [], Scoreboard(), None))


def test_the_comparison_has_a_column_for_each_way_of_choosing() -> None:
    text = rendered(comparison([("round robin", Scoreboard()), ("the picker", board())], ["one"]))
    rows = {line.split("│")[1].strip(): line for line in text.splitlines() if "│" in line}
    assert rows["first token, median"].split("│")[2:4] == ["        0 ms ", "     250 ms "]
    assert "50%" in rows["prompt found in cache"]
    assert rows["answers of one"].count("1") == 1
