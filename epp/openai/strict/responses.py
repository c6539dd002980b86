"""OpenAI's responses and conversations."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from epp.openai.invalid import Invalid, missing
from epp.openai.strict.chat import JsonFormat, TextFormat
from epp.openai.strict.shape import Count, Name, Object, Shape


class ItemPart(msgspec.Struct):
    """A part of a message."""

    type: Literal[
        "input_text",
        "input_image",
        "input_file",
        "input_audio",
        "output_text",
        "refusal",
        "summary_text",
        "reasoning_text",
    ]
    text: str | None = None


class Item(msgspec.Struct):
    """A message, which need not say that it is one, or anything else of a conversation."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[ItemPart] | None = None


Items: TypeAlias = list[Item]


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema"):
    """JSON of a schema."""

    name: Name
    schema: Object


class Text(msgspec.Struct):
    """What the text is to be."""

    format: TextFormat | JsonFormat | SchemaFormat | None = None


class Tool(msgspec.Struct):
    """A tool; most kinds are the server's own."""

    type: str


class ResponseShape(Shape, kw_only=True):
    """A turn of a conversation."""

    model: Name
    input: str | Items | None = None
    instructions: str | Items | None = None
    stream: bool | None = None
    max_output_tokens: Count | None = None
    text: Text | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | Tool | None = None

    def problem(self) -> Invalid | None:
        """Demand messages that are whole."""
        return _unfinished("input", self.input)


class ConversationShape(Shape, kw_only=True):
    """A conversation to keep."""

    items: Items | None = None

    def problem(self) -> Invalid | None:
        """Demand messages that are whole."""
        return _unfinished("items", self.items)


def _unfinished(param: str, items: str | Items | None) -> Invalid | None:
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if item.type == "message" and item.role is None:
            return missing(f"{param}[{i}].role")
        if item.type == "message" and item.content is None:
            return missing(f"{param}[{i}].content")
    return None
