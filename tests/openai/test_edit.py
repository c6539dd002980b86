from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.openai.edit import AnswerEditor, answer_editor

CAPTURED = (Path(__file__).parents[1] / "data" / "openai" / "chat-stream.sse").read_bytes()
SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"


def edited(
    *pieces: bytes, kind: str = SSE, model: str = "mine", hide: bool = False, limit: int = 1 << 20
) -> bytes:
    editor = answer_editor(kind, model, hide_usage=hide, limit_bytes=limit)
    assert editor is not None
    return b"".join([*map(editor.feed, pieces), editor.end()])


def event(data: Any, end: str = "\n") -> bytes:
    return f"data: {json.dumps(data)}{end}{end}".encode()


# --- the model -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"model":"m"}', '{"model":"mine"}'),
        (
            '{ "id" : 1 ,\n "model" :\t"m" , "x":[] }',
            '{ "id" : 1 ,\n "model" :\t"mine" , "x":[] }',
        ),
        (
            '{"text":"\\"model\\":\\"m\\"","model":"m"}',
            '{"text":"\\"model\\":\\"m\\"","model":"mine"}',
        ),
        ('{"a\\"model":"m","model":"m"}', '{"a\\"model":"m","model":"mine"}'),
        ('{"usage":{"model":"m"},"model":"m"}', '{"usage":{"model":"m"},"model":"mine"}'),
        ('{"choices":[{"model":"m"}]}', '{"choices":[{"model":"m"}]}'),
        ('{"model":null}', '{"model":null}'),
        ('{"model":5}', '{"model":5}'),
        ('{"model":""}', '{"model":"mine"}'),
        ('{"model":"m\\u00e9\\"x"}', '{"model":"mine"}'),
        ('{"error":{"message":"model m"}}', '{"error":{"message":"model m"}}'),
        ('["model"]', '["model"]'),
        ("{}", "{}"),
        ("null", "null"),
        ('{"model":"m"', '{"model":"m"'),
        ("no healthy upstream", "no healthy upstream"),
        ("", ""),
    ],
)
def test_only_the_name_changes_in_json(before: str, after: str) -> None:
    assert edited(before.encode(), kind=JSON) == after.encode()
    if before and "\n" not in before:
        sse = b"data: %b\n\n"
        assert edited(sse % before.encode()) == sse % after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"type": "response.created", "response": {"id": 1, "model": "m", "usage": None}},
            {"type": "response.created", "response": {"id": 1, "model": "mine", "usage": None}},
        ),
        (
            {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
            {"type": "message_start", "message": {"model": "mine", "usage": {"input_tokens": 1}}},
        ),
        ({"response": {"x": 1}, "model": "m"}, {"response": {"x": 1}, "model": "mine"}),
        ({"message": "text", "model": "m"}, {"message": "text", "model": "mine"}),
        ({"message": {"model": None}}, {"message": {"model": None}}),
        ({"type": "content_block_delta", "delta": {"text": "m"}},) * 2,
    ],
)
def test_the_model_may_stand_in_the_response_or_message_of_an_event(
    before: Any, after: Any
) -> None:
    assert edited(event(before)) == event(after)


def test_a_name_is_written_as_json() -> None:
    assert edited(b'{"model":"m"}', kind=JSON, model='a"é\\') == '{"model":"a\\"é\\\\"}'.encode()


def test_a_member_that_is_there_twice_stays_as_it_is() -> None:
    assert edited(b'{"model":"a","x":1,"model":"b"}', kind=JSON).count(b"mine") == 0


# --- streams -------------------------------------------------------------------------------------


def test_a_stream_of_a_real_server_is_edited_wherever_it_is_cut() -> None:
    expected = CAPTURED.replace(b'"model":"tiny"', b'"model":"mine"')
    assert expected != CAPTURED
    for at in range(len(CAPTURED) + 1):
        assert edited(CAPTURED[:at], CAPTURED[at:]) == expected, at
    assert edited(*(CAPTURED[i : i + 1] for i in range(len(CAPTURED)))) == expected


def test_usage_is_taken_out_of_a_real_stream_wherever_it_is_cut() -> None:
    *before, usage, done = CAPTURED.split(b"\n\n")[:-1]
    assert b'"usage":{' in usage
    expected = b"".join(part + b"\n\n" for part in [*before, done])
    for at in range(len(CAPTURED) + 1):
        assert edited(CAPTURED[:at], CAPTURED[at:], model="", hide=True) == expected, at


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"choices": [], "usage": {"total_tokens": 1}}, False),
        ({"choices": [], "usage": None}, True),
        ({"choices": []}, True),
        ({"choices": [{"delta": {}}], "usage": {"total_tokens": 1}}, True),
        ({"type": "message_delta", "usage": {"output_tokens": 1}}, True),
    ],
)
def test_only_an_event_of_nothing_but_usage_is_hidden(data: Any, shown: bool) -> None:
    assert edited(event(data), model="", hide=True) == (event(data) if shown else b"")
    assert edited(event(data), model="", hide=False) == event(data)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_break_stays(end: str) -> None:
    stream = event({"model": "m"}, end) + event({"x": 1}, end) + event({"model": "m"}, end)
    expected = stream.replace(b'"m"', b'"mine"')
    for at in range(len(stream) + 1):
        assert edited(stream[:at], stream[at:]) == expected, at


def test_what_is_no_data_stays_byte_for_byte() -> None:
    stream = b': hello\n\nevent: a\nid: 1\ndata:{"model":"m"}\nretry: 5\n\n\n\ndata: [DONE]\n\n'
    assert edited(stream) == stream.replace(b'"m"', b'"mine"')


def test_json_of_several_lines_keeps_its_lines() -> None:
    stream = b'data: {"id": 1,\r\ndata: "model":\r\ndata: "m"}\r\n\r\n'
    assert edited(stream) == stream.replace(b'"m"', b'"mine"')


def test_an_event_goes_on_as_soon_as_it_is_complete() -> None:
    editor = answer_editor(SSE, "mine", hide_usage=False)
    assert editor is not None
    first = event({"model": "m"})
    assert editor.feed(first[:-1]) == b""
    assert editor.feed(b"\n" + first[:5]) == event({"model": "mine"})


def test_a_last_event_that_lacks_its_empty_line_is_edited_too() -> None:
    assert edited(b'data: {"model":"m"}') == b'data: {"model":"mine"}'


# --- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_event_over_the_limit_passes_as_it_is_and_the_next_one_is_edited(size: int) -> None:
    small = event({"model": "m"})
    large = event({"model": "m", "x": "y" * 300})
    stream = small + large + small
    expected = stream.replace(b'"m"}', b'"mine"}')
    assert large in expected
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert edited(*pieces, limit=100) == expected


def test_no_more_than_the_limit_is_held() -> None:
    for kind in (SSE, JSON):
        editor = answer_editor(kind, "mine", hide_usage=False, limit_bytes=100)
        assert editor is not None
        passed = sum(len(editor.feed(b"x" * 10)) for _ in range(30))
        assert passed >= 200


def test_json_over_the_limit_passes_as_it_is() -> None:
    body = json.dumps({"model": "m", "x": "y" * 100}).encode()
    for limit, model in ((len(body), "mine"), (len(body) - 1, "m")):
        for at in range(len(body) + 1):
            out = edited(body[:at], body[at:], kind=JSON, limit=limit)
            assert json.loads(out)["model"] == model


def test_json_goes_on_when_it_is_complete_for_there_may_be_no_other_end() -> None:
    editor = answer_editor(JSON, "mine", hide_usage=False)
    assert editor is not None
    assert editor.feed(b'{"x":{}') == b""
    assert editor.feed(b',"model":"m"}\n') == b'{"x":{},"model":"mine"}\n'
    assert editor.feed(b" ") == b" "
    assert editor.end() == b""


@pytest.mark.parametrize(
    ("kind", "model", "hide"),
    [("audio/wav", "mine", True), (JSON, "", True), ("", "mine", False), ("text/html", "m", True)],
)
def test_where_there_is_nothing_to_edit_there_is_no_editor(
    kind: str, model: str, hide: bool
) -> None:
    assert answer_editor(kind, model, hide_usage=hide) is None


# --- properties ----------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["model"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["model", 'a"', "usage", "choices"]), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["id", "model", "choices", "usage", "response", "message", "type", '"model"']),
    VALUES,
    max_size=5,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def renamed(data: Any) -> Any:
    """The same by way of Python's own objects; inner ones at their own top level alone."""
    for name in ("response", "message"):
        inner = data.get(name)
        if isinstance(inner, dict) and "model" in inner:
            new = {**inner, "model": "mine"} if isinstance(inner["model"], str) else inner
            return {**data, name: new}
    return {**data, "model": "mine"} if isinstance(data.get("model"), str) else data


@settings(deadline=None)
@given(st.lists(st.tuples(OBJECTS, ENDS), max_size=4), st.lists(st.integers(0, 500), max_size=6))
def test_no_cut_changes_what_is_edited(events: list[Any], cuts: list[int]) -> None:
    stream = b"".join(event(data, end) for data, end in events)
    ends = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(ends)]
    assert edited(*pieces) == b"".join(event(renamed(data), end) for data, end in events)


@settings(deadline=None)
@given(OBJECTS, st.integers(0, 200))
def test_an_object_is_edited_as_if_it_were_built_anew(data: Any, cut: int) -> None:
    body = json.dumps(data).encode()
    expected = {**data, "model": "mine"} if isinstance(data.get("model"), str) else data
    assert edited(body[:cut], body[cut:], kind=JSON) == json.dumps(expected).encode()


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8), st.sampled_from([SSE, JSON]))
def test_bytes_that_are_no_answer_pass_whole(pieces: list[bytes], kind: str) -> None:
    editor: AnswerEditor | None = answer_editor(kind, "mine", hide_usage=True, limit_bytes=20)
    assert editor is not None
    out = b"".join([*map(editor.feed, pieces), editor.end()])
    assert out == b"".join(pieces)
