"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from epp.openai import chat
from epp.openai.anthropic import MessagesBody
from epp.openai.content import Content, Part
from epp.openai.invalid import Invalid, missing
from epp.openai.strict.shape import Name, Object, Shape

BlockType: TypeAlias = Literal[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "tool_reference",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
]

# What a block of a type cannot be without.
_NEEDED = {
    "text": "text",
    "image": "source",
    "document": "source",
    "thinking": "thinking",
    "tool_use": "name",
    "tool_result": "tool_use_id",
}


class Block(msgspec.Struct):
    """A part of a message."""

    type: BlockType
    text: str | None = None
    source: Object | None = None
    thinking: str | None = None
    name: str | None = None
    tool_use_id: str | None = None


class Message(msgspec.Struct):
    """A turn."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class SystemBlock(msgspec.Struct, tag_field="type", tag="text"):
    """A part of the system prompt."""

    text: str


class Choice(msgspec.Struct):
    """Which tools the model may call."""

    type: Literal["auto", "any", "tool", "none"]


class CountTokensShape(Shape, kw_only=True):
    """A chat to count."""

    model: Name
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    system: str | list[SystemBlock] | None = None
    tools: list[Object] | None = None
    tool_choice: Choice | None = None

    def problem(self) -> Invalid | None:
        """Demand blocks that are whole."""
        for i, message in enumerate(self.messages):
            for k, block in enumerate(message.content if isinstance(message.content, list) else ()):
                needed = _NEEDED.get(block.type)
                if needed is not None and getattr(block, needed) is None:
                    return missing(f"messages[{i}].content[{k}].{needed}")
        return None


class MessagesShape(CountTokensShape, kw_only=True):
    """A chat to go on with."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1)]
    stream: bool | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def body(self) -> MessagesBody | None:
        """Return it if there are no tools and nothing but words."""
        contents = [_words(message.content) for message in self.messages]
        if self.tools is not None or None in contents:
            return None
        return MessagesBody(
            model=self.model,
            stream=self.stream,
            cache_salt=self.cache_salt,
            messages=[
                chat.Message(message.role, content)
                for message, content in zip(self.messages, contents, strict=True)
            ],
            system=self.system if self.system is None else _words(self.system),
            max_tokens=self.max_tokens,
        )


def _words(given: str | Sequence[Block | SystemBlock]) -> Content:
    """Return content as it is read leniently; None if it has more than words."""
    if isinstance(given, str):
        return given
    texts: list[str | Part] = [Part(text=block.text) for block in given if _is_text(block)]
    return texts if len(texts) == len(given) else None


def _is_text(block: Block | SystemBlock) -> bool:
    return isinstance(block, SystemBlock) or block.type == "text"
