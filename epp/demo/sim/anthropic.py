"""Anthropic's messages, which vLLM serves too."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from epp.demo.sim.answer import Answer
from epp.demo.sim.ask import Ask, Count, Message, conversation
from epp.demo.sim.job import Job
from epp.demo.sim.problem import Problem

_REASONS = {"length": "max_tokens", "stop": "end_turn"}


class _Messages(msgspec.Struct):
    max_tokens: Count
    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str | None = None
    system: str | list[dict[str, Any]] | None = None
    stream: bool | None = None


def read_messages(body: bytes) -> Ask | Problem:
    """Read the body of /v1/messages."""
    try:
        asked = msgspec.json.decode(body, type=_Messages)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    system = [Message("system", asked.system)] if asked.system else []
    content = conversation([*system, *asked.messages])
    return Ask(content, asked.model, asked.max_tokens, bool(asked.stream))


class MessagesAnswer(Answer, frozen=True):
    """The answer of /v1/messages."""

    prefix = "msg"
    done = b""

    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return the events that open the message and its one block."""
        empty = self._message([], None, {"input_tokens": job.prompt_tokens, "output_tokens": 0})
        block = {"type": "text", "text": ""}
        return [
            {"type": "message_start", "message": empty},
            {"type": "content_block_start", "index": 0, "content_block": block},
        ]

    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the event of a token, and at the end those that close the block."""
        delta = {"type": "text_delta", "text": text}
        events: list[dict[str, Any]] = [
            {"type": "content_block_delta", "index": 0, "delta": delta},
        ]
        return [*events, {"type": "content_block_stop", "index": 0}] if reason else events

    def closing(self, job: Job, *, include_usage: bool) -> list[dict[str, Any]]:
        """Return the events that close the message; Anthropic always tells the usage."""
        delta = {"stop_reason": _REASONS[job.reason], "stop_sequence": None}
        return [
            {"type": "message_delta", "delta": delta, "usage": _usage(job)},
            {"type": "message_stop"},
        ]

    def complete(self, text: str, reason: str | None, job: Job) -> dict[str, Any]:
        """Return the message in one piece."""
        return self._message([{"type": "text", "text": text}], _REASONS[job.reason], _usage(job))

    def _message(
        self, content: list[dict[str, Any]], reason: str | None, usage: dict[str, int]
    ) -> dict[str, Any]:
        head = {"id": self.id, "type": "message", "role": "assistant", "model": self.model}
        return {
            **head,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage,
        }


def _usage(job: Job) -> dict[str, int]:
    return {
        "input_tokens": job.prompt_tokens - job.cached,
        "cache_read_input_tokens": job.cached,
        "output_tokens": job.generated,
    }
