"""OpenAI's responses and conversations."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from epp.openai import prompt
from epp.openai.body import ABSENT, Body, Scalar
from epp.openai.content import Content, content_text
from epp.openai.invalid import Invalid, empty, missing


class Item(msgspec.Struct):
    """A message, or the call or the result of a tool."""

    type: str = "message"
    role: str = ""
    content: Content = None
    output: Content = None
    name: msgspec.Raw = ABSENT
    arguments: msgspec.Raw = ABSENT

    def text(self) -> str:
        """Return the item as a piece of the prompt."""
        return (
            prompt.message(self.role or self.type, content_text(self.content))
            + prompt.raw("name", self.name)
            + prompt.raw("arguments", self.arguments)
            + content_text(self.output)
        )


class ResponseBody(Body):
    """A turn of a conversation, of which the server may hold the earlier ones."""

    limits: ClassVar[tuple[str, ...]] = ("max_output_tokens",)

    input: str | list[Item] | None = None
    instructions: str | list[Item] | None = None
    tools: msgspec.Raw = ABSENT
    previous_response_id: msgspec.Raw = ABSENT
    max_output_tokens: Scalar = None

    def text(self) -> str | Invalid:
        """Return tools and instructions, then the turns that this request brings."""
        if self.input is None:
            return missing("input")
        if not self.input:
            return empty("input")
        return (
            prompt.raw("tools", self.tools)
            + _turns("system", self.instructions or [])
            + prompt.raw("previous_response_id", self.previous_response_id)
            + _turns("user", self.input)
        )


class ConversationBody(Body):
    """A conversation to keep; OpenAI takes one without items, too."""

    items: list[Item] | None = None

    def text(self) -> str | Invalid:
        """Return the items that it begins with."""
        return _turns("user", self.items or [])


def _turns(role: str, items: str | list[Item]) -> str:
    """Join `items`; a string is short for one message of `role`."""
    if isinstance(items, str):
        return prompt.message(role, prompt.plain(items))
    return "".join([item.text() for item in items])
