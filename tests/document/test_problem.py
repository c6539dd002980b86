from __future__ import annotations

from epp.document.problem import Problem, did_you_mean, render


def test_problems_are_told_in_the_order_of_the_file() -> None:
    problems = [Problem(9, "last"), Problem(2, "first")]
    assert render("a.yaml", problems) == "a.yaml:2: first\na.yaml:9: last"


def test_the_nearest_name_is_offered() -> None:
    assert did_you_mean("weigth", ["weight", "name"]) == '; did you mean "weight"?'


def test_nothing_is_offered_when_nothing_is_near() -> None:
    assert did_you_mean("xyz", ["weight", "name"]) == ""


def test_what_a_file_says_cannot_command_the_terminal() -> None:
    assert render("a.yaml", [Problem(1, "a\x1b[2Jb\r\nc ü")]) == "a.yaml:1: a\\x1b[2Jb\\r\\nc ü"
