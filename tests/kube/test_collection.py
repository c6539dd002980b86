from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.kube.collection import Collection
from epp.kube.errors import KubeError, ReportedError, UnreadableError
from epp.kube.objects import KubeObject
from tests.kube.script import error_event, event, page, thing


class Thing(KubeObject, frozen=True):
    size: int = 0


def collection(*names: str, version: str = "5") -> Collection[Thing]:
    made = Collection(Thing)
    take(made, page(version, *names))
    return made


def take(made: Collection[Thing], body: bytes) -> bool:
    read = made.page(body)
    return made.replace(read.objects, read.resource_version)


def listed(*items: object, version: str = "9") -> bytes:
    meta = {"resourceVersion": version}
    return msgspec.json.encode({"kind": "ThingList", "metadata": meta, "items": items})


def test_a_list_is_taken_over() -> None:
    made = collection("a", "b")
    assert sorted(made.objects) == ["a", "b"]
    assert made.resource_version == "5"


def test_a_page_tells_how_to_go_on() -> None:
    assert Collection(Thing).page(page("5", "a", more="token")).more == "token"


def test_events_add_change_and_take_away() -> None:
    made = collection("a")
    assert made.apply(event("ADDED", "b", "6"))
    assert made.apply(event("MODIFIED", "a", "7"))
    assert made.objects["a"].metadata.resource_version == "7"
    assert made.apply(event("DELETED", "b", "8"))
    assert sorted(made.objects) == ["a"]
    assert made.resource_version == "8"


def test_what_is_known_already_is_no_change() -> None:
    made = collection("a")
    assert not made.apply(event("ADDED", "a", "5"))
    assert not made.apply(event("DELETED", "never", "6"))


def test_a_bookmark_moves_the_version_only() -> None:
    made = collection("a")
    empty_spec = {"metadata": {"resourceVersion": "8", "creationTimestamp": None}}
    line = msgspec.json.encode({"type": "BOOKMARK", "object": empty_spec})
    assert not made.apply(line)
    assert (sorted(made.objects), made.resource_version) == (["a"], "8")


def test_a_second_list_is_a_difference_and_keeps_what_is_the_same() -> None:
    made = collection("a", "b")
    kept = made.objects["b"]
    assert take(made, listed(thing("b", "5"), thing("c", "9")))
    assert sorted(made.objects) == ["b", "c"]
    assert made.objects["b"] is kept
    assert not take(made, listed(thing("c", "9"), thing("b", "5"), version="12"))
    assert made.resource_version == "12"


def test_another_object_of_the_same_name_is_a_change() -> None:
    made = collection("a")
    another = thing("a", "5")
    another["metadata"]["uid"] = "another"
    assert take(made, listed(another))


def test_a_list_without_items_is_an_empty_one() -> None:
    made = collection("a")
    body = b'{"kind":"ThingList","metadata":{"resourceVersion":"7"},"items":null}'
    assert take(made, body)
    assert made.objects == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>502 Bad Gateway</html>",
        b'{"kind":"Status","status":"Failure","metadata":{"resourceVersion":"1"}}',
        b'{"kind":"PodList","metadata":{},"items":[]}',
        b'{"kind":"PodList","metadata":{"resourceVersion":"\xff"}}',
    ],
)
def test_what_is_no_list_does_not_empty_the_copy(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        Collection(Thing).page(body)


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"type":"ADDED"}',
        b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}',
        b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"\xff"}}}',
        b'{"type":"ADDED","object":[]}',
        event("ADDED", "a", "6")[:40],
    ],
)
def test_a_line_that_is_no_event_is_an_error_and_changes_nothing(line: bytes) -> None:
    made = collection("a")
    with pytest.raises(UnreadableError):
        made.apply(line)
    assert (sorted(made.objects), made.resource_version) == (["a"], "5")


def test_an_error_event_is_raised() -> None:
    with pytest.raises(ReportedError) as caught:
        collection().apply(error_event(410, "Expired"))
    assert caught.value.gone


def test_an_object_of_another_shape_is_left_out_and_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Collection(Thing)
    with caplog.at_level(logging.WARNING):
        take(made, listed({**thing("odd", "3"), "size": "large"}, thing("a", "4")))
    assert sorted(made.objects) == ["a"]
    assert "not a Thing" in caplog.text
    assert not made.apply(msgspec.json.encode({"type": "ADDED", "object": {
        **thing("odd", "10"), "size": "large"}}))  # fmt: skip
    assert made.resource_version == "10"


def test_in_several_namespaces_a_name_is_not_enough() -> None:
    made = Collection(Thing, one_namespace=False)
    take(made, listed(thing("a", "1", "x"), thing("a", "2", "y")))
    assert sorted(made.objects) == ["x/a", "y/a"]


@given(st.data(), st.binary(min_size=1, max_size=4))
def test_bytes_that_went_wrong_are_an_error_at_most(data: st.DataObject, wrong: bytes) -> None:
    for right, read in (
        (page("5", "a", "b"), Collection(Thing).page),
        (event("ADDED", "b", "6"), Collection(Thing).apply),
        (error_event(500, "InternalError"), Collection(Thing).apply),
    ):
        at = data.draw(st.integers(0, len(right)))
        with suppress(KubeError):
            read(right[:at] + wrong + right[at + len(wrong) :])


@pytest.mark.parametrize("before", [b"", b'{"type":"ADDED","object":', b'{"kind":"x","items":['])
def test_an_abyss_of_brackets_is_an_error(before: bytes) -> None:
    for read in (Collection(Thing).page, Collection(Thing).apply):
        with pytest.raises(UnreadableError):
            read(before + b"[" * 100_000)


def test_an_object_that_is_not_utf8_is_left_out() -> None:
    made = Collection(Thing)
    items = b'"items":[{"metadata":{"name":"\xff"}}]'
    body = b'{"kind":"XList","metadata":{"resourceVersion":"1"},' + items + b"}"
    assert made.page(body).objects == {}


NAMES = st.sampled_from("abcd")


@given(st.lists(st.tuples(st.sampled_from(["put", "delete", "relist", "again"]), NAMES)))
def test_whatever_comes_the_copy_is_what_the_server_has(happened: list[tuple[str, str]]) -> None:
    made, server, version = collection(version="1"), dict[str, str](), 1

    def told(names: Mapping[str, str]) -> bytes:
        return listed(*(thing(n, v) for n, v in names.items()), version=str(version))

    for what, name in happened:
        version += 1
        if what == "put":
            kind = "MODIFIED" if name in server else "ADDED"
            server[name] = str(version)
            assert made.apply(event(kind, name, str(version)))
        elif what == "delete" and name in server:
            del server[name]
            assert made.apply(event("DELETED", name, str(version)))
        elif what == "relist":
            missed = {**server, name: str(version)}
            assert take(made, told(missed))
            server = missed
        else:
            assert not take(made, told(server))
    assert {n: o.metadata.resource_version for n, o in made.objects.items()} == server
