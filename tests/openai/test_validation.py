"""How strictly each API is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from epp.openai.apis import APIS, PARSERS
from epp.openai.request import Invalid, Request
from epp.openai.validation import Validation, parser
from tests.openai.asking import user

STRICT, LENIENT, OFF = (parser(PARSERS, validation) for validation in Validation)
SAY = [user("Hi")]
FORM = "multipart/form-data; boundary=x"


def form(**fields: str) -> bytes:
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="{name}"'
        f"{'; filename=f' if name == 'file' else ''}\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    ]
    return "".join([*parts, "--x--\r\n"]).encode()


def strictly(path: str, **fields: Any) -> Request | Invalid:
    return STRICT(path, "application/json", json.dumps(fields).encode())


def said(path: str, **fields: Any) -> tuple[str | None, str | None]:
    invalid = strictly(path, **fields)
    assert isinstance(invalid, Invalid), invalid
    assert invalid.status == 400
    return invalid.param, invalid.code


MISSING, EMPTY, TYPE, VALUE = (
    "missing_required_parameter",
    "empty_value",
    "invalid_type",
    "invalid_value",
)
CHAT, EMBED, TOKENIZE, RESPOND, CLAUDE = (
    "/v1/chat/completions",
    "/v1/embeddings",
    "/tokenize",
    "/v1/responses",
    "/v1/messages",
)


@pytest.mark.parametrize(
    ("path", "fields", "param", "code"),
    [
        (CHAT, {"messages": SAY}, "model", MISSING),
        (CHAT, {"model": ""}, "model", EMPTY),
        (CHAT, {"model": "m"}, "messages", MISSING),
        (CHAT, {"model": "m", "messages": []}, "messages", EMPTY),
        (CHAT, {"model": "m", "messages": [{"content": "Hi"}]}, "messages[0].role", MISSING),
        (
            CHAT,
            {"model": "m", "messages": [*SAY, {"role": "boss", "content": "Hi"}]},
            "messages[1].role",
            VALUE,
        ),
        (CHAT, {"model": "m", "messages": [{"role": "user"}]}, "messages[0].content", MISSING),
        (CHAT, {"model": "m", "messages": [user([])]}, "messages[0].content", EMPTY),
        (
            CHAT,
            {"model": "m", "messages": [user([{"type": "smell"}])]},
            "messages[0].content[0].type",
            VALUE,
        ),
        (
            CHAT,
            {"model": "m", "messages": [user([{"type": "text"}])]},
            "messages[0].content[0].text",
            MISSING,
        ),
        (
            CHAT,
            {"model": "m", "messages": [user([{"type": "image_url", "image_url": "x"}])]},
            "messages[0].content[0].image_url",
            TYPE,
        ),
        (
            CHAT,
            {"model": "m", "messages": [{"role": "tool", "content": "5"}]},
            "messages[0].tool_call_id",
            MISSING,
        ),
        (
            CHAT,
            {"model": "m", "messages": SAY, "response_format": {"type": "xml"}},
            "response_format.type",
            VALUE,
        ),
        (
            CHAT,
            {"model": "m", "messages": SAY, "response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            MISSING,
        ),
        (CHAT, {"model": "m", "messages": SAY, "tool_choice": "maybe"}, "tool_choice", VALUE),
        (
            CHAT,
            {"model": "m", "messages": SAY, "tool_choice": {"type": "what"}},
            "tool_choice.type",
            VALUE,
        ),
        (CHAT, {"model": "m", "messages": SAY, "stream": "yes"}, "stream", TYPE),
        (CHAT, {"model": "m", "messages": SAY, "max_tokens": -1}, "max_tokens", VALUE),
        (CHAT, {"model": "m", "messages": SAY, "stream_options": {}}, "stream_options", VALUE),
        ("/v1/completions", {"model": "m"}, "prompt", MISSING),
        ("/v1/completions", {"prompt": "x"}, "model", MISSING),
        (EMBED, {"model": "m"}, "input", MISSING),
        (EMBED, {"model": "m", "input": None}, "input", MISSING),
        (EMBED, {"model": "m", "input": 5}, "input", TYPE),
        (EMBED, {"model": "m", "input": "x", "messages": SAY}, "input", VALUE),
        (TOKENIZE, {"model": "m"}, "prompt", MISSING),
        (TOKENIZE, {"prompt": "x"}, "model", MISSING),
        (TOKENIZE, {"model": "m", "prompt": "x", "messages": SAY}, "prompt", VALUE),
        (
            TOKENIZE,
            {
                "model": "m",
                "messages": SAY,
                "add_generation_prompt": True,
                "continue_final_message": True,
            },
            "continue_final_message",
            VALUE,
        ),
        (RESPOND, {"input": "x"}, "model", MISSING),
        (RESPOND, {"model": "m"}, "input", MISSING),
        (RESPOND, {"model": "m", "input": [{"content": "x"}]}, "input[0].role", MISSING),
        (RESPOND, {"model": "m", "input": [{"role": "user"}]}, "input[0].content", MISSING),
        (
            RESPOND,
            {"model": "m", "input": [user([{"type": "smell"}])]},
            "input[0].content[0].type",
            VALUE,
        ),
        (
            RESPOND,
            {"model": "m", "input": "x", "text": {"format": {"type": "xml"}}},
            "text.format.type",
            VALUE,
        ),
        (CLAUDE, {"model": "m", "messages": SAY}, "max_tokens", MISSING),
        (CLAUDE, {"model": "m", "messages": SAY, "max_tokens": 0}, "max_tokens", VALUE),
        (
            CLAUDE,
            {"model": "m", "messages": [{"role": "boss", "content": "x"}], "max_tokens": 5},
            "messages[0].role",
            VALUE,
        ),
        (
            CLAUDE,
            {"model": "m", "messages": [user([{"type": "text"}])], "max_tokens": 5},
            "messages[0].content[0].text",
            MISSING,
        ),
        ("/v1/messages/count_tokens", {"messages": SAY}, "model", MISSING),
        ("/v1/images/generations", {"model": "m"}, "prompt", MISSING),
        ("/v1/audio/speech", {"model": "m", "input": "x"}, "voice", MISSING),
        ("/v1/rerank", {"model": "m", "query": "x"}, "documents", MISSING),
        ("/v1/rerank", {"model": "m", "query": None, "documents": []}, "query", MISSING),
        ("/v1/score", {"text_1": "x"}, "model", MISSING),
        ("/inference/v1/generate", {"token_ids": [1]}, "sampling_params", MISSING),
        ("/v1/conversations", {"items": [{"content": "x"}]}, "items[0].role", MISSING),
    ],
)
def test_what_the_api_would_refuse_is_refused_with_its_place(
    path: str, fields: dict[str, Any], param: str, code: str
) -> None:
    assert said(path, **fields) == (param, code)


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            CHAT,
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    user(
                        [
                            {"type": "text", "text": "x"},
                            {"type": "video_url", "video_url": {"url": "u"}},
                        ]
                    ),
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
                    {"role": "tool", "tool_call_id": "1", "content": "5"},
                ],
                "tools": [TOOL],
                "tool_choice": TOOL,
                "response_format": {"type": "json_schema", "json_schema": {"name": "s"}},
                "stream": True,
                "stream_options": {"include_usage": True},
                "vllm_xargs": {"whatever": 1},
            },
        ),
        ("/v1/completions", {"prompt": [1, 2, 3]}),
        (EMBED, {"input": ["a", "b"]}),
        (EMBED, {"messages": SAY}),
        (TOKENIZE, {"messages": SAY}),
        (RESPOND, {"input": "x"}),
        (
            RESPOND,
            {
                "input": [
                    user([{"type": "input_text", "text": "x"}]),
                    {"type": "reasoning", "summary": []},
                    {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
                    {"type": "function_call_output", "call_id": "1", "output": "5"},
                ],
                "tools": [{"type": "web_search"}],
                "tool_choice": {"type": "web_search"},
            },
        ),
        ("/v1/responses/input_tokens", {"input": "x"}),
        (
            CLAUDE,
            {
                "messages": [
                    user([{"type": "image", "source": {"type": "base64"}}]),
                    {"role": "assistant", "content": [{"type": "tool_use", "name": "f"}]},
                    user([{"type": "tool_result", "tool_use_id": "1"}]),
                ],
                "system": [{"type": "text", "text": "Be brief."}],
                "tools": [{"name": "f", "input_schema": {}}],
                "tool_choice": {"type": "auto"},
                "max_tokens": 5,
            },
        ),
        ("/v1/messages/count_tokens", {"messages": SAY}),
        ("/v1/images/generations", {"prompt": "a cat"}),
        ("/v1/audio/speech", {"input": "x", "voice": "alloy"}),
        ("/v2/rerank", {"query": "x", "documents": ["a"]}),
        ("/score", {"text_1": "a", "text_2": "b"}),
        ("/inference/v1/generate", {"token_ids": [1], "sampling_params": {}}),
    ],
)
def test_what_the_apis_know_passes(path: str, fields: dict[str, Any]) -> None:
    request = strictly(path, model="m", **fields)
    assert isinstance(request, Request), request
    assert request.model == "m"


def test_a_form_needs_a_model_and_a_file() -> None:
    for fields, param in (({"file": "x"}, "model"), ({"model": "m"}, "file")):
        invalid = STRICT("/v1/audio/transcriptions", FORM, form(**fields))
        assert isinstance(invalid, Invalid)
        assert (invalid.param, invalid.code) == (param, MISSING)
    for path in ("/v1/audio/transcriptions", "/v1/audio/translations"):
        assert isinstance(STRICT(path, FORM, form(model="m", file="x")), Request)
    refused = STRICT(CHAT, FORM, form(model="m", file="x"))
    assert isinstance(refused, Invalid)
    assert refused.code == "invalid_form"


@pytest.mark.parametrize("api", [a for a in APIS if a.suffix], ids=lambda api: api.suffix)
def test_every_api_has_a_strict_check_and_off_refuses_nothing(api: Any) -> None:
    strict = api.parser != "vllmgrpc-parser"  # a message is right, or no message at all
    for body in (b"", b"{", b"[]", b'{"model": 5}', b'{"model": "a\nb"}', b"{}", b"\xff"):
        if strict and not (api.suffix == "conversations" and b"{" in body):
            assert isinstance(STRICT(f"/{api.suffix}", "", body), Invalid)
        assert isinstance(OFF(f"/{api.suffix}", "", body), Request)


def test_off_reads_what_there_is() -> None:
    request = OFF(CHAT, "", b'{"model": "m", "messages": [5]}')
    assert request == Request("chat", "m")
    request = OFF(CHAT, "", json.dumps({"model": "m", "messages": SAY}).encode())
    assert request == LENIENT(CHAT, "", json.dumps({"model": "m", "messages": SAY}).encode())
