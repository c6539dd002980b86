"""Every API through Envoy, in every combination of body mode and override."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from itertools import count
from typing import Any

import brotli
import pytest
from backports import zstd

from tests.e2e.gateway import Gateway
from tests.e2e.upstream import Received, Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

Upstreams = tuple[Upstream, Upstream]
JSON, FORM, GRPC = "application/json", "multipart/form-data; boundary=xx", "application/grpc"
SAY: list[Any] = [{"role": "user", "content": "héllo \u2028"}]
NUMBERS = count()

TEXTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": SAY},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/responses/input_tokens": {"input": SAY},
    "/v1/embeddings": {"input": ["hello", "you"]},
    "/v1/images/generations": {"prompt": "a cat"},
    "/v1/audio/speech": {"input": "hello", "voice": "alloy"},
    "/v1/rerank": {"query": "q", "documents": ["a", "b"]},
    "/v2/rerank": {"query": "q", "documents": ["a", "b"]},
    "/cohere/v2/rerank": {"query": "q", "documents": ["a", "b"]},
    "/v1/score": {"text_1": "a", "text_2": "b"},
    "/tokenize": {"prompt": "hello"},
    "/v1/messages": {"messages": SAY, "max_tokens": 5},
    "/anthropic/v1/messages/count_tokens": {"messages": SAY},
    "/inference/v1/generate": {"token_ids": [1, 2], "sampling_params": {"max_tokens": 5}},
    "/any/prefix/v1/chat/completions": {"messages": SAY, "stream": True},
}
FORM_BODY = (
    b'--xx\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n\x00--x'
    b'\r\n--xx\r\ncontent-disposition: form-data; name="model"\r\n\r\n%b\r\n--xx--\r\n'
)
MESSAGE = b"\0\0\0\0\x07\x1a\x05hello"

# path, content type, and the body for a model
CASES: list[tuple[str, str, Callable[[str], bytes]]] = [
    *(
        (path, JSON, lambda model, fields=fields: json.dumps({**fields, "model": model}).encode())
        for path, fields in TEXTS.items()
    ),
    *(
        (path, FORM, lambda model: FORM_BODY % model.encode())
        for path in ("/v1/audio/transcriptions", "/v1/audio/translations")
    ),
]
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


async def arrived(
    gateway: Gateway, upstreams: Upstreams, path: str, body: bytes, headers: dict[str, str]
) -> Received:
    """Send a request and return it as it arrived."""
    test = f"endpoint-{next(NUMBERS)}"
    answer = await gateway.client.post(path, content=body, headers={**headers, "x-test": test})
    assert answer.status_code == 200, (path, answer.text)
    (request,) = [
        request
        for upstream in upstreams
        for request in upstream.requests
        if request.headers.get("x-test") == test
    ]
    return request


async def test_every_api_arrives_byte_for_byte_with_its_model(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    for path, content_type, body in CASES:
        for model in ("m", "org/Mödel-1.5"):
            sent = body(model)
            request = await arrived(gateway, upstreams, path, sent, {"content-type": content_type})
            assert (request.path, request.body) == (path, sent)
            assert request.headers["x-ai-eg-model"] == model


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_compressed_body_arrives_as_it_was_compressed(
    gateway: Gateway, upstreams: Upstreams, encoding: str
) -> None:
    for path, content_type, body in CASES:
        sent = ENCODINGS[encoding](body("m"))
        headers = {"content-type": content_type, "content-encoding": encoding}
        request = await arrived(gateway, upstreams, path, sent, headers)
        assert request.body == sent
        assert request.headers["content-encoding"] == encoding
        assert request.headers["x-ai-eg-model"] == "m"


async def test_every_api_can_have_its_model_rewritten(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    for path, content_type, body in CASES:
        for encoding in (None, "gzip", "zstd"):
            sent = ENCODINGS[encoding](body("m")) if encoding else body("m")
            headers = {"content-type": content_type, "x-llm-d-model-name-rewrite": "another"}
            if encoding:
                headers["content-encoding"] = encoding
            request = await arrived(gateway, upstreams, path, sent, headers)
            if content_type == FORM:
                assert request.body == body("another")
            else:
                assert json.loads(request.body) == json.loads(body("another"))
            assert "content-encoding" not in request.headers
            assert request.headers["x-ai-eg-model"] == "m"


async def test_a_grpc_message_arrives_without_a_model(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    for method in ("Generate", "Embed"):
        path = f"/vllm.grpc.engine.VllmEngine/{method}"
        request = await arrived(gateway, upstreams, path, MESSAGE, {"content-type": GRPC})
        assert request.body == MESSAGE
        assert "x-ai-eg-model" not in request.headers


async def test_a_grpc_client_is_refused_as_grpc_does(gateway: Gateway) -> None:
    for headers, body, status in (
        ({}, MESSAGE[:-1], "3"),
        ({"grpc-timeout": "0m"}, MESSAGE, "4"),
    ):
        answer = await gateway.client.post(
            "/vllm.grpc.engine.VllmEngine/Generate",
            content=body,
            headers={"content-type": GRPC, **headers},
        )
        assert answer.status_code == 200
        assert answer.headers["grpc-status"] == status
        assert answer.headers["grpc-message"].startswith(("We could not", "The client's"))


async def test_a_bomb_and_an_unknown_encoding_are_refused(gateway: Gateway) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    for body, encoding, status, code in (
        (bomb, "gzip", 413, "request_too_large"),
        (b"x", "compress", 415, "unsupported_content_encoding"),
        (b"x", "br", 400, "invalid_content_encoding"),
    ):
        answer = await gateway.client.post(
            "/v1/chat/completions", content=body, headers={"content-encoding": encoding}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
