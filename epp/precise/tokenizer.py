"""Prompts to tokens, by a model server or by a tokenizer of our own."""

from __future__ import annotations

import asyncio
from typing import Protocol

import httpx
import msgspec

from epp.openai import tokenizable
from epp.pool.endpoint import Endpoint

_MAX_BYTES = 16 * 1024 * 1024  # two million tokens


class TokenizerError(Exception):
    """There are no tokens; the text says why."""


class Tokenizer(Protocol):
    """Makes tokens."""

    async def tokens(self, model: str, prompt: str, endpoint: Endpoint) -> list[int] | None:
        """Return a prompt's tokens, None if it cannot know them; TokenizerError if it failed."""


class _Answer(msgspec.Struct):
    tokens: list[int]


_answers = msgspec.json.Decoder(_Answer)


class ServerTokenizer:
    """Asks `/tokenize` of the server that got the request, which has the model's chat template."""

    def __init__(self, client: httpx.AsyncClient, url: str, timeout_s: float) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<ServerTokenizer {self._url or 'of each endpoint'}>"

    async def tokens(self, model: str, prompt: str, endpoint: Endpoint) -> list[int] | None:
        """Ask for the tokens."""
        body = tokenizable.tokenize_body(prompt, model)
        if body is None:
            return None
        url = f"{self._url or _base(endpoint)}/tokenize"
        try:
            async with asyncio.timeout(self._timeout_s):
                return _answers.decode(await self._post(url, body)).tokens
        except (httpx.HTTPError, TimeoutError, msgspec.DecodeError, ValueError) as error:
            raise TokenizerError(f"{url}: {error!r}") from error

    async def _post(self, url: str, body: bytes) -> bytes:
        headers = {"content-type": "application/json"}
        async with self._client.stream("POST", url, content=body, headers=headers) as response:
            if response.status_code != 200:
                raise TokenizerError(f"{url} answers {response.status_code}")
            received = bytearray()
            async for piece in response.aiter_bytes():
                received += piece
                if len(received) > _MAX_BYTES:
                    raise TokenizerError(f"{url} answers more than {_MAX_BYTES} bytes")
            return bytes(received)


class FileTokenizer:
    """Text that no chat template touches, by a `tokenizer.json`; anything else by `others`."""

    def __init__(self, path: str, others: Tokenizer | None) -> None:
        # Not where all is imported: it is an extra, and large.
        from tokenizers import Tokenizer as Loaded  # noqa: PLC0415

        self._path = path
        self._others = others
        self._loaded = Loaded.from_file(path)

    def __repr__(self) -> str:
        return f"<FileTokenizer {self._path}, others by {self._others}>"

    async def tokens(self, model: str, prompt: str, endpoint: Endpoint) -> list[int] | None:
        """Encode in a thread: a long prompt takes milliseconds, in which others must go on."""
        text = None if tokenizable.is_chat(prompt) else tokenizable.plain_text(prompt)
        if text is None:
            return await self._others.tokens(model, prompt, endpoint) if self._others else None
        encoding = await asyncio.to_thread(self._loaded.encode, text)
        ids: list[int] = encoding.ids
        return ids


def _base(endpoint: Endpoint) -> str:
    scheme = "https" if endpoint.metrics_url.startswith("https:") else "http"
    return f"{scheme}://{endpoint.address}"
