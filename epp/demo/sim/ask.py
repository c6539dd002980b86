"""Reading a request: the few fields of OpenAI's that change what the engine does."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from epp.demo.sim.problem import Problem
from epp.demo.sim.tokens import TOKEN_BYTES, encode

Count = Annotated[int, Meta(ge=1)]
TokenId = Annotated[int, Meta(ge=0, lt=2**32)]


class Ask(msgspec.Struct, frozen=True):
    """A completion that somebody wants; `content` is the prompt in tokens."""

    content: bytes
    model: str | None = None
    max_tokens: int | None = None
    stream: bool = False
    include_usage: bool = False
    cache_salt: str = ""


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Common(msgspec.Struct):
    model: str | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    cache_salt: str | None = None

    def ask(self, content: bytes) -> Ask:
        return Ask(
            content,
            self.model,
            self.max_completion_tokens or self.max_tokens,
            bool(self.stream),
            self.stream_options is not None and self.stream_options.include_usage,
            self.cache_salt or "",
        )


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(_part_text(part) for part in self.content)
        return self.content or ""


class _Chat(_Common, kw_only=True):
    messages: Annotated[list[_Message], Meta(min_length=1)]


class _Completion(_Common, kw_only=True):
    prompt: str | list[str | TokenId]  # a list is one prompt in token numbers, or several texts


def _part_text(part: dict[str, Any]) -> str:
    """Return a text part's text; any other part counts as the bytes that describe it."""
    text = part.get("text")
    return text if isinstance(text, str) else msgspec.json.encode(part).decode()


def read_chat(body: bytes) -> Ask | Problem:
    """Read the body of /v1/chat/completions."""
    try:
        chat = msgspec.json.decode(body, type=_Chat)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    segments = []
    for message in chat.messages:
        segments += [f"<|{message.role}|>", message.text(), "<|end|>"]
    return chat.ask(encode(*segments, "<|assistant|>"))


def read_completion(body: bytes) -> Ask | Problem:
    """Read the body of /v1/completions; of several prompts none is answered."""
    try:
        completion = msgspec.json.decode(body, type=_Completion)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    content = _prompt_content(completion.prompt)
    if not content:
        return Problem(400, "exactly one prompt that is not empty is needed", param="prompt")
    return completion.ask(content)


def _prompt_content(prompt: str | list[str | int]) -> bytes:
    match prompt:
        case str(text) | [str(text)]:
            return encode(text)
        case [*numbers] if all(isinstance(number, int) for number in numbers):
            return b"".join(int(number).to_bytes(TOKEN_BYTES) for number in numbers)
        case _:
            return b""
