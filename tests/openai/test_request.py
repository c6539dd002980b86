from __future__ import annotations

import json

import pytest

from epp.openai.request import DEFAULT_PARSERS, Invalid, Request, parse, request_path
from tests.openai.asking import CHAT, COMPLETIONS, understood, user


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({":path": "/v1/chat/completions"}, "/v1/chat/completions"),
        ({":path": "/v1/completions?x=/v1/embeddings"}, "/v1/completions"),
        ({":path": "/v1/completions/"}, "/v1/completions"),
        ({":path": "/v1/completions/?x=1"}, "/v1/completions"),
        ({":path": "/a", "x-original-path": "/b", "x-forwarded-path": "/c"}, "/a"),
        ({"x-original-path": "/v1/embeddings", "x-forwarded-path": "/c"}, "/v1/embeddings"),
        ({"x-forwarded-path": "/c"}, "/c"),
        ({":path": "", "x-original-path": "/b"}, "/b"),
        ({":path": "/"}, "/"),
        ({}, "/v1/completions"),
    ],
)
def test_the_path_is_the_first_header_that_has_one(headers: dict[str, str], path: str) -> None:
    assert request_path(headers) == path


def test_a_request_says_what_matters_for_choosing_an_endpoint() -> None:
    assert understood(
        COMPLETIONS, model="m", prompt="Hi", stream=True, max_tokens=7, cache_salt="s", n=2
    ) == Request("completion", "m", "Hi", stream=True, max_tokens=7, cache_salt="s")


def test_a_body_without_a_model_is_left_to_the_router() -> None:
    assert understood(COMPLETIONS, prompt="Hi").model == ""
    assert understood(COMPLETIONS, prompt="Hi", model=None).model == ""


@pytest.mark.parametrize("stream", ["true", 1, None, False])
def test_only_the_boolean_true_asks_for_a_stream(stream: object) -> None:
    assert not understood(COMPLETIONS, prompt="Hi", stream=stream).stream


@pytest.mark.parametrize("limit", ["7", 7.5, True, -1, 2**31, 10**300, None])
def test_a_token_limit_that_makes_no_sense_is_none(limit: object) -> None:
    assert understood(COMPLETIONS, prompt="Hi", max_tokens=limit).max_tokens is None


def test_a_token_limit_of_zero_is_one() -> None:
    assert understood(COMPLETIONS, prompt="Hi", max_tokens=0).max_tokens == 0


def test_a_cache_salt_is_text() -> None:
    assert understood(COMPLETIONS, prompt="Hi", cache_salt=5).cache_salt == ""


@pytest.mark.parametrize("body", [b"passthrough-parser", b"", b'{"model": "m"}', b"\xff\x00"])
def test_an_unknown_path_passes_through_unread(body: bytes) -> None:
    assert parse("/v2/whatever", "", body) == Request("passthrough")
    assert parse("/v1/completions", "", body, ("passthrough-parser",)) == Request("passthrough")


def test_without_passthrough_an_unknown_path_is_refused_with_its_name() -> None:
    parsers = ("openai-parser", "vllmhttp-parser")
    assert parse("/v1/xcompletions", "", b"{}", parsers) == Invalid(
        "No parser for path /v1/xcompletions: the parsers are openai-parser, vllmhttp-parser.",
        code="unknown_url",
    )
    invalid = parse("/" + "x" * 9000, "", b"{}", ())
    assert isinstance(invalid, Invalid)
    assert invalid.message.endswith("x: the parsers are none.")
    assert len(invalid.message) < 300


def test_a_parser_that_is_not_listed_does_not_read() -> None:
    only_openai = ("openai-parser",)
    assert isinstance(parse("/v1/messages", "", b"{}", only_openai), Invalid)
    body = json.dumps({"model": "m", "messages": [user("Hi")]}).encode()
    assert isinstance(parse("/v1/messages", "", body), Request)


def test_passthrough_is_among_the_default_parsers() -> None:
    assert "passthrough-parser" in DEFAULT_PARSERS


@pytest.mark.parametrize("model", ["a\r\nx-injected: 1", "m\x00", "m\x7f", "m" * 257, True, ["m"]])
def test_a_model_that_cannot_be_a_header_is_refused(model: object) -> None:
    body = json.dumps({"model": model, "prompt": "Hi"}).encode()
    for path in (COMPLETIONS, "/v1/messages/count_tokens"):
        read = parse(path, "", body)
        if path == COMPLETIONS or isinstance(model, (str, bool)):
            assert isinstance(read, Invalid)
            assert (read.param, read.status) == ("model", 400)


@pytest.mark.parametrize("levels", [200, 450, 900, 5_000, 200_000])
def test_nesting_is_an_answer_and_never_an_exception(levels: int) -> None:
    part = b'{"content":['
    deep = b'{"model":"m","messages":[{"content":[%b' + b"%b" + b"]}]}"
    body = deep % (part * levels, b"]}" * levels)
    assert isinstance(parse(CHAT, "", body), Request if levels < 300 else (Request, Invalid))
    if levels > 4_000:
        assert parse(CHAT, "", body) == Invalid(
            "We could not parse the JSON body of your request: it is nested too deeply.",
            code="invalid_json",
        )


def test_a_body_that_decodes_but_is_too_deep_to_walk_is_refused() -> None:
    deepest = 0
    for levels in range(50, 500, 10):
        body = b'{"messages":[{"content":[%b%b]}]}' % (b'{"content":[' * levels, b"]}" * levels)
        read = parse(CHAT, "", body)
        if isinstance(read, Invalid):
            break
        deepest = levels
    else:
        pytest.fail("no depth was refused")
    assert deepest >= 50
    assert read.code == "invalid_json"
