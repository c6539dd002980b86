from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tokenizers import Tokenizer as Trained
from tokenizers import models, pre_tokenizers, trainers

from epp.demo.sim.listener import Listener, bind
from epp.openai.prompt import message
from epp.pool.endpoint import Endpoint
from epp.precise.tokenizer import FileTokenizer, ServerTokenizer, TokenizerError

CHAT = message("user", "one two")


class Asked(msgspec.Struct):
    """What came in, and what goes out."""

    answer: bytes = b'{"count": 2, "max_model_len": 9, "tokens": [4, 5]}'
    status: int = 200
    silent: bool = False
    requests: list[bytes] = []


@asynccontextmanager
async def serving(asked: Asked) -> AsyncIterator[Endpoint]:
    """Serve one answer on loopback."""

    async def tokenize(request: Request) -> Response:
        asked.requests.append(await request.body())
        if asked.silent:
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)
        return Response(asked.answer, asked.status)

    socket = bind("127.0.0.1", 0)
    app = Starlette(routes=[Route("/tokenize", tokenize, methods=["POST"])])
    listener = await Listener.open(app, socket)
    try:
        yield Endpoint(f"127.0.0.1:{socket.getsockname()[1]}")
    finally:
        await listener.close()


async def tokens(asked: Asked, prompt: str = CHAT, *, timeout_s: float = 10.0) -> list[int] | None:
    async with serving(asked) as endpoint, httpx.AsyncClient() as client:
        return await ServerTokenizer(client, "", timeout_s).tokens("m", prompt, endpoint)


async def test_the_server_that_has_the_template_is_asked() -> None:
    asked = Asked()
    assert await tokens(asked) == [4, 5]
    assert msgspec.json.decode(asked.requests[0]) == {
        "model": "m",
        "messages": [{"role": "user", "content": "one two"}],
        "add_generation_prompt": False,
    }


async def test_another_server_can_be_asked() -> None:
    asked = Asked()
    async with serving(asked) as endpoint, httpx.AsyncClient() as client:
        tokenizer = ServerTokenizer(client, f"http://{endpoint.address}/", 10.0)
        nowhere = Endpoint("127.0.0.1:1")
        assert await tokenizer.tokens("m", CHAT, nowhere) == [4, 5]


async def test_what_cannot_be_asked_for_is_not_asked_for() -> None:
    asked = Asked()
    assert await tokens(asked, "\x1e@image:1") is None
    assert asked.requests == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"status": 404}, "404"),
        ({"answer": b"{}"}, "tokens"),
        ({"answer": b"\xff"}, "/tokenize"),
        ({"answer": b" " * (17 << 20)}, "more than"),
    ],
)
async def test_an_answer_that_is_none_is_an_error(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(TokenizerError, match=why):
        await tokens(Asked(**wrong))


async def test_a_silent_server_is_not_waited_for() -> None:
    with pytest.raises(TokenizerError, match="TimeoutError"):
        await tokens(Asked(silent=True), timeout_s=0.05)


async def test_nobody_there_is_an_error() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(TokenizerError, match="Connect"):
            await ServerTokenizer(client, "", 1.0).tokens("m", CHAT, Endpoint("127.0.0.1:1"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = Trained(models.WordLevel(unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(special_tokens=["?"], show_progress=False)
    tokenizer.train_from_iterator(["one two two three three three"], trainer)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


class Other:
    """Knows everything."""

    async def tokens(self, model: str, prompt: str, endpoint: Endpoint) -> list[int]:
        return [99]


async def test_text_is_tokenized_here_and_chats_elsewhere(trained: Path) -> None:
    tokenizer = FileTokenizer(str(trained), Other())
    where = Endpoint("127.0.0.1:1")
    assert await tokenizer.tokens("m", "three two one none", where) == [1, 2, 3, 0]
    assert await tokenizer.tokens("m", CHAT, where) == [99]
    assert await FileTokenizer(str(trained), None).tokens("m", CHAT, where) is None
