"""Chat completions, and what else takes chat messages: embeddings and tokenisation."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from epp.openai import prompt
from epp.openai.body import ABSENT, Body, Scalar, asks_usage
from epp.openai.content import Content, content_text
from epp.openai.inputs import input_text
from epp.openai.invalid import Invalid, empty, missing


class Message(msgspec.Struct, gc=False):
    """One turn, or the call or the result of a tool."""

    role: str = ""
    content: Content = None
    tool_calls: msgspec.Raw = ABSENT
    function_call: msgspec.Raw = ABSENT

    def text(self) -> str:
        """Return the turn as a piece of the prompt."""
        said = prompt.message(self.role, content_text(self.content))
        if self.tool_calls is ABSENT and self.function_call is ABSENT:  # as in nearly all
            return said
        calls = prompt.raw("tool_calls", self.tool_calls)
        return said + calls + prompt.raw("function_call", self.function_call)


def messages_text(head: str, messages: list[Message] | None) -> str | Invalid:
    """Return `messages` in order, after what a chat template puts in front of them."""
    if messages is None:
        return missing("messages")
    return (
        head + "".join([message.text() for message in messages]) if messages else empty("messages")
    )


class ChatBody(Body):
    """A chat."""

    limits: ClassVar[tuple[str, ...]] = ("max_completion_tokens", "max_tokens")

    messages: list[Message] | None = None
    tools: msgspec.Raw = ABSENT
    functions: msgspec.Raw = ABSENT
    chat_template: msgspec.Raw = ABSENT
    chat_template_kwargs: msgspec.Raw = ABSENT
    max_completion_tokens: Scalar = None
    max_tokens: Scalar = None
    stream_options: msgspec.Raw = ABSENT

    def text(self) -> str | Invalid:
        """Return the tools, then the turns."""
        head = (
            prompt.raw("chat_template", self.chat_template)
            + prompt.raw("chat_template_kwargs", self.chat_template_kwargs)
            + prompt.raw("tools", self.tools)
            + prompt.raw("functions", self.functions)
        )
        return messages_text(head, self.messages)

    def includes_usage(self) -> bool:
        """Look into the options of the stream."""
        return asks_usage(self.stream_options)


class EmbeddingsBody(ChatBody):
    """Texts or token ids to embed, or a chat (vLLM's way to embed images)."""

    limits: ClassVar[tuple[str, ...]] = ()

    input: msgspec.Raw = ABSENT

    def text(self) -> str | Invalid:
        """Return the chat if there is one, else the input."""
        return input_text("input", self.input) if self.messages is None else super().text()


class TokenizeBody(ChatBody):
    """A prompt or a chat to cut into tokens."""

    limits: ClassVar[tuple[str, ...]] = ()

    prompt: str | None = None

    def text(self) -> str | Invalid:
        """Return the prompt if there is one, else the chat."""
        return super().text() if self.prompt is None else prompt.plain(self.prompt)
