from __future__ import annotations

import msgspec

from epp.demo.sim.answer import Answer, ChatAnswer, TextAnswer, event, usage_of
from tests.demo.sim.play import job

JOB = job("abc")
USAGE = usage_of(JOB)
CHAT = ChatAnswer("chatcmpl-1", "m", 7)
TEXT = TextAnswer("cmpl-1", "m", 7)


def head(answer: Answer, kind: str) -> dict[str, object]:
    return {"id": answer.id, "object": kind, "created": 7, "model": "m"}


def test_a_chat_stream_begins_with_the_role() -> None:
    (opening,) = CHAT.opening(JOB)
    assert opening["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_a_text_stream_begins_with_its_first_token() -> None:
    assert TEXT.opening(JOB) == []


def test_a_chat_token_is_a_delta() -> None:
    choice = {"index": 0, "delta": {"content": "cat "}, "logprobs": None, "finish_reason": "stop"}
    (chunk,) = CHAT.delta("cat ", "stop")
    assert chunk == {**head(CHAT, "chat.completion.chunk"), "choices": [choice]}


def test_a_text_token_is_a_text() -> None:
    choice = {"index": 0, "text": "cat ", "logprobs": None, "finish_reason": None}
    (chunk,) = TEXT.delta("cat ", None)
    assert chunk == {**head(TEXT, "text_completion"), "choices": [choice]}


def test_the_counts_come_in_a_chunk_without_a_choice() -> None:
    (ending,) = CHAT.closing(JOB, include_usage=True)
    assert CHAT.closing(JOB, include_usage=False) == []
    assert (ending["choices"], ending["usage"]) == ([], USAGE)


def test_an_answer_in_one_piece_has_everything() -> None:
    whole = CHAT.complete("cat dog ", "length", JOB)
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"]["content"] == "cat dog "
    assert whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"] == USAGE
    assert whole["system_fingerprint"]


def test_usage_counts_what_was_computed_and_what_was_found() -> None:
    asked = job("abcde", max_tokens=2)
    asked.cached = 4
    asked.sample()
    asked.sample()
    assert usage_of(asked) == {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_an_event_with_a_type_is_named_by_it() -> None:
    assert event({"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_an_event_is_one_line_of_json() -> None:
    data = event({"text": "a\nb"})
    assert data.startswith(b"data: ")
    assert data.endswith(b"\n\n")
    assert data.count(b"\n") == 2
    assert msgspec.json.decode(data.removeprefix(b"data: ")) == {"text": "a\nb"}
