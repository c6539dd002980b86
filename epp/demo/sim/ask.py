"""Reading a request: the few fields of OpenAI's that change what the engine does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, structs

from epp.demo.sim.problem import Problem
from epp.demo.sim.schema import instance
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
    script: str = ""  # what the answer must be, instead of the model's words
    tool: str = ""  # the script is the arguments of a call of it


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


class Message(msgspec.Struct):
    """One turn."""

    role: str
    content: str | list[dict[str, Any]] | None = None

    def text(self) -> str:
        """Return the turn's words."""
        if isinstance(self.content, list):
            return "".join(_part_text(part) for part in self.content)
        return self.content or ""


class _Chat(_Common, kw_only=True):
    messages: Annotated[list[Message], Meta(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    add_generation_prompt: bool = True  # of /tokenize

    def called(self) -> dict[str, Any] | None:
        """Return the function that is called: the one that must be, or else the first.

        A model that has a tool's result goes on with words.
        """
        functions = [tool["function"] for tool in self.tools or () if "function" in tool]
        if self.tool_choice == "none" or self.messages[-1].role == "tool":
            return None
        if isinstance(self.tool_choice, dict):
            wanted = self.tool_choice.get("function", {}).get("name")
            functions = [one for one in functions if one.get("name") == wanted]
        return functions[0] if functions else None

    def script(self) -> str:
        """Return the JSON that the answer must be, if it must."""
        wanted = self.response_format or {}
        if wanted.get("type") == "json_object":
            return "{}"
        if wanted.get("type") != "json_schema":
            return ""
        return _json(instance(wanted.get("json_schema", {}).get("schema")))


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
    ask = chat.ask(conversation(chat.messages, ask=chat.add_generation_prompt))
    if (called := chat.called()) is not None:
        arguments = _json(instance(called.get("parameters") or {"type": "object"}))
        return structs.replace(ask, script=arguments, tool=str(called.get("name")))
    return structs.replace(ask, script=chat.script())


def conversation(messages: Iterable[Message], *, ask: bool = True) -> bytes:
    """Return the prompt that a chat template makes; `ask`: with what asks for an answer."""
    segments = []
    for message in messages:
        segments += [f"<|{message.role}|>", message.text(), "<|end|>"]
    return encode(*segments, *(["<|assistant|>"] if ask else []))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


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


def read_tokenize(body: bytes) -> Ask | Problem:
    """Read the body of /tokenize, which has either messages or a prompt."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    return read_chat(body) if "messages" in asked else read_completion(body)


def _prompt_content(prompt: str | list[str | int]) -> bytes:
    match prompt:
        case str(text) | [str(text)]:
            return encode(text)
        case [*numbers] if all(isinstance(number, int) for number in numbers):
            return b"".join(int(number).to_bytes(TOKEN_BYTES) for number in numbers)
        case _:
            return b""
