"""A body that was checked is not read again where it has nothing but words; what comes of it is
what comes of reading it leniently.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai.apis import PARSERS, find_api
from epp.openai.body import Body
from epp.openai.invalid import Invalid
from epp.openai.request import Request
from epp.openai.validation import Validation, parser

STRICT, LENIENT = (parser(PARSERS, v) for v in (Validation.STRICT, Validation.LENIENT))
CHAT, COMPLETIONS, MESSAGES = "/v1/chat/completions", "/v1/completions", "/v1/messages"
JSON = "application/json"

text = st.text(max_size=20)
texts = text | st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": text}), min_size=1, max_size=3
)
pictures = st.just([{"type": "image_url", "image_url": {"url": "data:,x"}}])
call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
turns = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user"]), "content": texts | pictures}
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": texts | st.none()},
        optional={"tool_calls": st.just([call]), "function_call": st.just({"name": "f"})},
    ),
    st.fixed_dictionaries(
        {"role": st.just("tool"), "content": texts, "tool_call_id": st.just("1")}
    ),
    st.fixed_dictionaries(
        {"role": st.just("function"), "name": st.just("f"), "content": text | st.none()}
    ),
)
common: dict[str, Any] = {
    "cache_salt": text,
    "max_tokens": st.integers(0, 100),
    "stream": st.booleans(),
}
streaming = {"stream_options": st.fixed_dictionaries({}, optional={"include_usage": st.booleans()})}
chats = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(turns, min_size=1, max_size=4)},
    optional={
        **common,
        **streaming,
        "max_completion_tokens": st.integers(0, 100),
        "tools": st.just([{"type": "function", "function": {"name": "f"}}]),
        "functions": st.just([{"name": "f"}]),
        "chat_template": text,
        "chat_template_kwargs": st.just({"x": 1}),
    },
)
completions = st.fixed_dictionaries(
    {"model": st.just("m"), "prompt": text | st.lists(st.integers(0, 9), min_size=1)},
    optional={**common, **streaming, "prompt_embeds": text},
)
blocks = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": text})
    | st.just({"type": "image", "source": {"type": "url", "url": "data:,x"}}),
    max_size=3,
)
messages = st.fixed_dictionaries(
    {
        "model": st.just("m"),
        "max_tokens": st.integers(1, 9),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant"]), "content": text | blocks}
            ),
            min_size=1,
            max_size=4,
        ),
    },
    optional={
        "stream": st.booleans(),
        "cache_salt": text,
        "system": texts,
        "tools": st.just([{"name": "f", "input_schema": {}}]),
    },
)


@given(
    st.one_of(
        st.tuples(st.just(CHAT), chats),
        st.tuples(st.just(COMPLETIONS), completions),
        st.tuples(st.just(MESSAGES), messages),
        st.tuples(st.just("/v1/embeddings"), st.builds(lambda t: {"model": "m", "input": t}, text)),
        st.tuples(st.just("/tokenize"), st.builds(lambda t: {"model": "m", "prompt": t}, text)),
    )
)
def test_what_is_accepted_strictly_is_understood_as_it_is_leniently(
    case: tuple[str, dict[str, Any]],
) -> None:
    path, asked = case
    body = msgspec.json.encode(asked)
    strict = STRICT(path, JSON, body)
    if isinstance(strict, Request):
        assert strict == LENIENT(path, JSON, body)


WORDS = [{"role": "user", "content": "x"}]
NOT_READ_AGAIN = [
    (CHAT, {"messages": WORDS}),
    (CHAT, {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "x"}]}]}),
    (COMPLETIONS, {"prompt": [1, 2, 3]}),
    (MESSAGES, {"messages": WORDS, "max_tokens": 1, "system": [{"type": "text", "text": "x"}]}),
]


def found_on_the_way(path: str, asked: dict[str, Any]) -> Invalid | Body | None:
    api = find_api(path, PARSERS)
    assert api is not None
    assert api.check is not None
    return api.check(JSON, msgspec.json.encode({"model": "m", **asked}))


@pytest.mark.parametrize(("path", "asked"), NOT_READ_AGAIN)
def test_words_are_decoded_once(path: str, asked: dict[str, Any]) -> None:
    assert isinstance(found_on_the_way(path, asked), Body)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (CHAT, {"messages": WORDS, "tools": []}),
        (CHAT, {"messages": [{"role": "assistant", "tool_calls": [call]}]}),
        (MESSAGES, {"messages": WORDS, "max_tokens": 1, "tools": []}),
    ],
)
def test_what_has_more_than_words_is_read_again(path: str, asked: dict[str, Any]) -> None:
    assert found_on_the_way(path, asked) is None
