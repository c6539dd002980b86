"""Anthropic's messages."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from epp.openai import prompt
from epp.openai.body import ABSENT, Body, Scalar
from epp.openai.chat import Message, messages_text
from epp.openai.content import Content, Part, content_text
from epp.openai.invalid import Invalid

# Claude Code sends this as a system block, with a sum that differs in every request. Servers drop
# it before they tokenise, or no two requests would share a prefix.
_ATTRIBUTION = "x-anthropic-billing-header"


class MessagesBody(Body):
    """A chat whose system prompt stands outside of the messages."""

    limits: ClassVar[tuple[str, ...]] = ("max_tokens",)

    messages: list[Message] | None = None
    system: Content = None
    tools: msgspec.Raw = ABSENT
    max_tokens: Scalar = None

    def text(self) -> str | Invalid:
        """Return the tools, the system prompt, then the turns."""
        system = prompt.message("system", content_text(_lasting(self.system)))
        return messages_text(prompt.raw("tools", self.tools) + system, self.messages)


def _lasting(system: Content) -> Content:
    """Leave out the blocks that are new in every request."""
    if not isinstance(system, list):
        return system
    return [block for block in system if not _is_attribution(block)]


def _is_attribution(block: str | Part) -> bool:
    return isinstance(block, Part) and (block.text or "").startswith(_ATTRIBUTION)
