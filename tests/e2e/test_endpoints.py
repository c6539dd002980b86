"""Every API through Envoy, in every combination of body mode and override."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import count, product

import brotli
import pytest

from epp.openai.usage import Usage
from epp.openai.zstd import zstd
from tests.e2e.gateway import TIMEOUT_S, Gateway
from tests.e2e.upstream import Received, Upstream
from tests.openai.said import ASKED, FORM, GRPC, SAID, Said, asked

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

Upstreams = tuple[Upstream, Upstream]
NUMBERS = count()
MESSAGE = b"\0\0\0\0\x07\x1a\x05hello"

IDLE = re.compile(r"^llm_d_epp_extproc_streams_inflight 0$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
LABELS = (
    "gen_ai_operation_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "gen_ai_token_type",
)
# The path of each API, with prefixes that gateways have, and the one whose body it takes.
PATHS = {path: path for path in ASKED} | {
    "/any/prefix/v1/chat/completions": "/v1/chat/completions",
    "/cohere/v2/rerank": "/v2/rerank",
    "/anthropic/v1/messages/count_tokens": "/v1/messages/count_tokens",
}
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
    for path, api in PATHS.items():
        for model in ("m", "org/Mödel-1.5"):
            sent, content_type = asked(api, model, streams="prefix" in path)
            request = await arrived(gateway, upstreams, path, sent, {"content-type": content_type})
            assert (request.path, request.body) == (path, sent)
            assert request.headers["x-ai-eg-model"] == model


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_compressed_body_arrives_as_it_was_compressed(
    gateway: Gateway, upstreams: Upstreams, encoding: str
) -> None:
    for path, api in PATHS.items():
        body, content_type = asked(api)
        sent = ENCODINGS[encoding](body)
        headers = {"content-type": content_type, "content-encoding": encoding}
        request = await arrived(gateway, upstreams, path, sent, headers)
        assert request.body == sent
        assert request.headers["content-encoding"] == encoding
        assert request.headers["x-ai-eg-model"] == "m"


async def test_every_api_can_have_its_model_rewritten(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    for path, api in PATHS.items():
        (body, content_type), (wanted, _) = asked(api), asked(api, "another")
        for encoding in (None, "gzip", "zstd"):
            sent = ENCODINGS[encoding](body) if encoding else body
            headers = {"content-type": content_type, "x-llm-d-model-name-rewrite": "another"}
            if encoding:
                headers["content-encoding"] = encoding
            request = await arrived(gateway, upstreams, path, sent, headers)
            if content_type == FORM:
                assert request.body == wanted
            else:
                assert json.loads(request.body) == json.loads(wanted)
            assert "content-encoding" not in request.headers
            assert request.headers["x-ai-eg-model"] == "m"


async def tokens(gateway: Gateway) -> Counter[tuple[str, ...]]:
    """What the picker has counted, once no stream is open: an answer ends before its stream does.

    The page is written a part at a time, so that it takes one more after that.
    """
    url = f"http://127.0.0.1:{gateway.picker.metrics_port}/metrics"
    async with asyncio.timeout(TIMEOUT_S):
        while IDLE.search((await gateway.client.get(url)).text) is None:
            pass
    found: Counter[tuple[str, ...]] = Counter()
    for line in (await gateway.client.get(url)).text.splitlines():
        if line.startswith("gen_ai_client_token_usage_sum{"):
            labels = dict(LABEL.findall(line))
            found[tuple(labels[name] for name in LABELS)] += int(float(line.split()[-1]))
    return found


def counts(said: Said) -> Counter[tuple[str, ...]]:
    """What an answer adds to the picker's counts."""
    usage = said.usage or Usage()
    kinds = {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached_input": usage.cached_tokens,
        "cache_creation_input": usage.cache_creation_tokens,
        "reasoning": usage.reasoning_tokens,
    }
    return Counter({(said.operation, "m", "m", kind): n for kind, n in kinds.items() if n})


async def test_every_api_is_answered_byte_for_byte_and_its_usage_is_counted(
    gateway: Gateway,
) -> None:
    before, expected = await tokens(gateway), Counter[tuple[str, ...]]()
    for said, piece_bytes in product(SAID, (0, 1, 7)):  # 0: the answer comes whole
        answer = await gateway.client.post(
            said.path,
            content=said.asked,
            headers={
                "content-type": said.asked_type,
                "x-answer-as": said.name,
                "x-answer-piece-bytes": str(piece_bytes),
            },
        )
        assert (answer.status_code, answer.content) == (200, said.body), said.name
        assert answer.headers["content-type"] == said.content_type
        expected += counts(said)
    assert await tokens(gateway) - before == expected


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
