from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import pytest

from epp.document.fit import fit
from epp.document.node import Node
from epp.document.problem import Problem
from epp.document.read import read


class Wheel(msgspec.Struct, frozen=True, rename="camel"):
    spoke_count: Annotated[int, msgspec.Meta(ge=3, le=64)] = 32


class Car(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    kind: Literal["coupe", "estate"] = "coupe"
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    weight: float | None = None
    doors: int | str = 4
    electric: bool = False
    labels: Mapping[str, str] = {}
    extras: dict[str, Any] = {}
    seats: Sequence[int] = ()
    tags: Annotated[list[str], msgspec.Meta(max_length=9)] = []

    def __post_init__(self) -> None:
        if self.name == "boat":
            raise ValueError("a boat is no car")


def problems_of(text: str) -> list[Problem]:
    problems: list[Problem] = []
    assert fit(_root(text), Car, "", problems) is None
    return problems


def test_a_fitting_document_becomes_its_struct() -> None:
    problems: list[Problem] = []
    text = """
name: x
kind: estate
wheels: [{spokeCount: 8}, {}]
spare: {spokeCount: 3}
weight: 2
doors: "5"
electric: true
labels: {a: b}
extras: {c: [1, {d: 2.5}]}
seats: [1, 2]
tags: [t]
"""
    assert fit(_root(text), Car, "", problems) == Car(
        name="x",
        kind="estate",
        wheels=(Wheel(8), Wheel()),
        spare=Wheel(3),
        weight=2.0,
        doors="5",
        electric=True,
        labels={"a": "b"},
        extras={"c": [1, {"d": 2.5}]},
        seats=[1, 2],
        tags=["t"],
    )
    assert problems == []


def test_a_key_without_a_value_leaves_the_default() -> None:
    problems: list[Problem] = []
    assert fit(_root("name: x\nwheels:\nspare:\nkind:\n"), Car, "", problems) == Car("x")
    assert problems == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: x\nwieght: 1\n", 2, 'unknown field "wieght"; did you mean "weight"?'),
        ("name: x\nqqq: 1\n", 2, 'unknown field "qqq"'),
        (
            "name: x\nwheels:\n- {}\n- spokecount: 3\n",
            4,
            'unknown field "spokecount" in wheels[1]; did you mean "spokeCount"?',
        ),
        ("kind: coupe\n", 1, '"name" is missing'),
        ("name:\n", 1, "name: expected text, got nothing"),
        ("name: 8\n", 1, "name: expected text, got 8; put it in quotes"),
        ("name: true\n", 1, "name: expected text, got true; put it in quotes"),
        ("name: [a]\n", 1, "name: expected text, got a list"),
        ("name: boat\n", 1, "a boat is no car"),
        (
            "name: x\nkind: cupe\n",
            2,
            'kind: "cupe" is none of coupe, estate; did you mean "coupe"?',
        ),
        ("name: x\nkind: []\n", 2, "kind: a list is none of coupe, estate"),
        ("name: x\nwheels: 4\n", 2, "wheels: expected a list, got 4"),
        ("name: x\nspare: [1]\n", 2, "spare: expected a mapping, got a list"),
        (
            "name: x\nspare:\n  spokeCount: 2\n",
            3,
            "spare.spokeCount: expected a whole number >= 3, got 2",
        ),
        (
            "name: x\nspare: {spokeCount: 2.5}",
            2,
            "spare.spokeCount: expected a whole number, got 2.5",
        ),
        ("name: x\nweight: heavy\n", 2, 'weight: expected a number, got "heavy"'),
        ("name: x\nweight: .nan\n", 2, "weight: expected a finite number, got nan"),
        ("name: x\nweight: -.inf\n", 2, "weight: expected a finite number, got -inf"),
        ("name: x\ndoors: 1.5\n", 2, "doors: expected a whole number or text, got 1.5"),
        ("name: x\nelectric: yes\n", 2, 'electric: expected true or false, got "yes"'),
        ("name: x\nlabels: [a]\n", 2, "labels: expected a mapping, got a list"),
        (
            "name: x\nlabels:\n  a: b\n  c: 1\n",
            4,
            "labels.c: expected text, got 1; put it in quotes",
        ),
        ("name: x\nseats:\n- 1\n- b\n", 4, 'seats[1]: expected a whole number, got "b"'),
        ("- name: x\n", 1, "expected a mapping, got a list"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    assert problems_of(text) == [Problem(line, said)]


def test_all_mistakes_are_told_at_once() -> None:
    text = "nam: x\nwheels:\n- spokeCount: 1\n- spokeCount: 2\nweight: x\n"
    assert sorted(problem.line for problem in problems_of(text)) == [1, 1, 3, 4, 5]


def test_the_place_of_the_node_begins_every_path() -> None:
    problems: list[Problem] = []
    fit(_root("name: x\nzzz: 1\nspare: 1\n"), Car, "cars[3]", problems)
    assert [problem.text for problem in problems] == [
        'unknown field "zzz" in cars[3]',
        "cars[3].spare: expected a mapping, got 1",
    ]


def test_a_message_that_is_not_about_a_type_is_passed_on() -> None:
    class Code(msgspec.Struct):
        code: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]

    problems: list[Problem] = []
    assert fit(_root("code: A1\n"), Code, "", problems) is None
    assert problems[0].line == 1
    assert "^[a-z]+$" in problems[0].text


def _root(text: str) -> Node:
    found = read(text.encode())
    assert isinstance(found, Node)
    return found


def test_what_may_be_nothing_may_be_written_so() -> None:
    class Row(msgspec.Struct):
        cells: tuple[int | None, ...]

    problems: list[Problem] = []
    assert fit(_root("cells: [1, null]\n"), Row, "", problems) == Row((1, None))
    assert problems == []


def test_a_refusal_in_other_words_is_passed_on() -> None:
    class Visit(msgspec.Struct):
        on: datetime.date

    problems: list[Problem] = []
    assert fit(_root("on: tomorrow\n"), Visit, "", problems) is None
    assert problems == [Problem(1, "on: Invalid RFC3339 encoded date")]
