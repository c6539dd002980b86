"""OpenAI's responses."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.demo.sim.answer import Answer
from epp.demo.sim.ask import Ask, Count, Message, conversation
from epp.demo.sim.job import Job
from epp.demo.sim.problem import Problem


class _Response(msgspec.Struct):
    input: str | list[Message]
    model: str | None = None
    instructions: str | None = None
    max_output_tokens: Count | None = None
    stream: bool | None = None


def read_response(body: bytes) -> Ask | Problem:
    """Read the body of /v1/responses."""
    try:
        asked = msgspec.json.decode(body, type=_Response)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Problem(400, str(error))
    turns = [Message("user", asked.input)] if isinstance(asked.input, str) else asked.input
    system = [Message("system", asked.instructions)] if asked.instructions else []
    content = conversation([*system, *turns])
    return Ask(content, asked.model, asked.max_output_tokens, bool(asked.stream))


class ResponseAnswer(Answer, frozen=True):
    """The answer of /v1/responses."""

    prefix = "resp"
    done = b""

    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return the event that says that there will be an answer."""
        return [{"type": "response.created", "response": self._response("in_progress", [], None)}]

    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the event of a token."""
        place = {"item_id": f"msg-{self.id}", "output_index": 0, "content_index": 0}
        return [{"type": "response.output_text.delta", **place, "delta": text}]

    def closing(self, job: Job, *, include_usage: bool) -> list[dict[str, Any]]:
        """Return the event with the whole answer, which has no text again."""
        whole = self._response("completed", [], _usage(job))
        return [{"type": "response.completed", "response": whole}]

    def complete(self, text: str, reason: str | None, job: Job) -> dict[str, Any]:
        """Return the answer in one piece."""
        part = {"type": "output_text", "text": text, "annotations": []}
        message = {
            "id": f"msg-{self.id}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
        return self._response("completed", [message], _usage(job))

    def _response(
        self, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        head = {"id": self.id, "object": "response", "created_at": self.created}
        return {
            **head,
            "status": status,
            "model": self.model,
            "output": output,
            "usage": usage,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }


def _usage(job: Job) -> dict[str, Any]:
    return {
        "input_tokens": job.prompt_tokens,
        "input_tokens_details": {"cached_tokens": job.cached},
        "output_tokens": job.generated,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": job.tokens,
    }
