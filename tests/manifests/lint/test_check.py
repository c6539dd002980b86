"""Whatever somebody wrote, it is checked."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from epp.manifests.lint.check import check
from epp.manifests.lint.objects import objects_in
from tests.manifests.lint.planted import CLEAN, findings, plant

OBJECTS = list(yaml.safe_load_all(CLEAN))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside),
    max_leaves=5,
)


def test_findings_are_in_the_order_of_the_file() -> None:
    text = plant(
        ("failureMode: FailClose", "failureMode: FailOpen"), ("type: TotalToken", "type: Tokens")
    )
    assert [f.rule for f in findings(text)] == ["cost-type", "fail-open-ignored"]


def test_a_rule_can_be_left_out() -> None:
    objects = objects_in("f", plant(("FailClose", "FailOpen")).encode()).objects
    assert [f.rule for f in check(objects)] == ["fail-open-ignored"]
    assert check(objects, ignore=["fail-open-ignored"]) == []


def test_a_finding_says_what_where_and_what_to_do() -> None:
    (finding,) = findings(plant(("FailClose", "FailOpen")))
    assert (finding.file, finding.line) == ("sample.yaml", 112)
    assert (finding.severity, finding.message) == ("warning", "FailOpen is ignored")
    assert "two replicas" in finding.remedy


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


PLACES = [place for place in places(OBJECTS) if place]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(st.sampled_from(PLACES), ANYTHING)
def test_no_value_anywhere_ends_the_check(place: tuple[Any, ...], value: Any) -> None:
    content = b"\n---\n".join(msgspec.json.encode(o) for o in replaced(OBJECTS, place, value))
    contents = objects_in("f", content)
    if not contents.unreadable:
        check(contents.objects)
