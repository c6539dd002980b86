from __future__ import annotations

import pytest

from epp.openai.apis import APIS, PARSERS, Api, find_api, parser_of

OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/chat/completions/render": "chat",
    "/v1/completions": "completion",
    "/v1/completions/render": "completion",
    "/openai/deployments/x/completions": "completion",
    "completions": "completion",
    "/v1/responses": "responses",
    "/v1/responses/input_tokens": "responses_input_tokens",
    "/v1/conversations": "conversations",
    "/v1/embeddings": "embeddings",
    "/v1/images/generations": "image_generation",
    "/v1/audio/speech": "speech",
    "/v1/audio/transcriptions": "transcription",
    "/v1/audio/translations": "translation",
    "/anthropic/v1/messages": "messages",
    "/v1/messages/count_tokens": "count_tokens",
    "/cohere/v2/rerank": "rerank",
    "/score": "score",
    "/tokenize": "tokenize",
    "/inference/v1/generate": "generate",
    "/generate": "passthrough",
    "/v1/xcompletions": "passthrough",
    "/v1/chat/completions/": "passthrough",
    "/v1/chat/completions/chatcmpl-1": "passthrough",
    "/v1/models": "passthrough",
    "/v1/Chat/Completions": "passthrough",
    "/": "passthrough",
    "": "passthrough",
}


@pytest.mark.parametrize(("path", "operation"), OPERATIONS.items())
def test_the_end_of_the_path_says_which_api_it_is(path: str, operation: str) -> None:
    api = find_api(path, PARSERS)
    assert api is not None
    assert api.operation == operation


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.suffix or "passthrough")
def test_every_row_is_found_under_any_prefix(api: Api) -> None:
    assert find_api(f"/any/prefix/{api.suffix}", PARSERS) is api


def test_the_longest_suffix_wins() -> None:
    chat, completions = (
        find_api(f"/v1/{end}", PARSERS) for end in ("chat/completions", "completions")
    )
    assert chat is not completions


def test_rows_of_parsers_that_are_off_do_not_count() -> None:
    assert find_api("/v1/messages", ("openai-parser",)) is None
    passed = find_api("/v1/messages", ("passthrough-parser",))
    assert passed is not None
    assert passed.operation == "passthrough"


def test_an_api_belongs_to_a_parser_whatever_is_behind_its_path() -> None:
    paths = ("/v1/messages?beta=true", "/v1/embeddings/", "/x", "")
    parsers = ["anthropic-parser", "openai-parser", "passthrough-parser", "passthrough-parser"]
    assert [parser_of(path) for path in paths] == parsers
