"""Writing an answer: one JSON object, or a stream of events."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import msgspec

from epp.demo.sim.job import Job

FINGERPRINT = "vllm-0.32.0-sim"
DONE = b"data: [DONE]\n\n"


def usage_of(job: Job) -> dict[str, Any]:
    """Return the token counts of a request that has ended."""
    return {
        "prompt_tokens": job.prompt_tokens,
        "total_tokens": job.tokens,
        "completion_tokens": job.generated,
        "prompt_tokens_details": {"cached_tokens": job.cached},
    }


def event(chunk: dict[str, Any]) -> bytes:
    """Return the server-sent event of a chunk; one with a type is named by it."""
    name = b"event: %b\n" % chunk["type"].encode() if "type" in chunk else b""
    return name + b"data: " + msgspec.json.encode(chunk) + b"\n\n"


class Answer(msgspec.Struct, frozen=True):
    """What an API makes of tokens."""

    prefix: ClassVar[str]
    done: ClassVar[bytes] = DONE  # after the last chunk

    id: str
    model: str
    created: int
    tool: str = ""  # that is called

    @abstractmethod
    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return the chunks that go before the first token's."""

    @abstractmethod
    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the chunks of a token."""

    @abstractmethod
    def closing(self, job: Job, *, include_usage: bool) -> list[dict[str, Any]]:
        """Return the chunks that go after the last token's."""

    @abstractmethod
    def complete(self, text: str, reason: str | None, job: Job) -> dict[str, Any]:
        """Return the answer in one piece."""


class ChoicesAnswer(Answer, frozen=True):
    """What the chunks of chats and completions have in common."""

    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]

    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return nothing."""
        return []

    @abstractmethod
    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the one choice of an answer that is not streamed."""

    def _object(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "choices": choices, **more}

    def closing(self, job: Job, *, include_usage: bool) -> list[dict[str, Any]]:
        """Return the chunk with the token counts, which has no choice."""
        if not include_usage:
            return []
        more = {"usage": usage_of(job), "system_fingerprint": FINGERPRINT}
        return [self._object(self.chunk_object, [], **more)]

    def complete(self, text: str, reason: str | None, job: Job) -> dict[str, Any]:
        """Return the answer in one piece."""
        more = {"usage": usage_of(job), "system_fingerprint": FINGERPRINT}
        return self._object(self.whole_object, [self.whole(text, reason)], **more)


class ChatAnswer(ChoicesAnswer, frozen=True):
    """The answer of /v1/chat/completions."""

    prefix = "chatcmpl"
    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return the chunk that names the role."""
        return [self._chunk({"role": "assistant", "content": ""}, None)]

    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the chunk of a token."""
        return [self._chunk({"content": text}, reason)]

    def _chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._object(self.chunk_object, [choice])

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the message."""
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}


class ToolAnswer(ChatAnswer, frozen=True):
    """An answer of /v1/chat/completions that calls a tool; the tokens are its arguments."""

    def opening(self, job: Job) -> list[dict[str, Any]]:
        """Return the chunk that names the role and the tool."""
        call = {"index": 0, **self._call("")}
        return [self._chunk({"role": "assistant", "tool_calls": [call]}, None)]

    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the chunk of a token."""
        call = {"index": 0, "function": {"arguments": text}}
        return [self._chunk({"tool_calls": [call]}, reason and "tool_calls")]

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the message."""
        message = {"role": "assistant", "content": None, "tool_calls": [self._call(text)]}
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}

    def _call(self, arguments: str) -> dict[str, Any]:
        function = {"name": self.tool, "arguments": arguments}
        return {"id": f"call-{self.id}", "type": "function", "function": function}


class TextAnswer(ChoicesAnswer, frozen=True):
    """The answer of /v1/completions."""

    prefix = "cmpl"
    whole_object = "text_completion"
    chunk_object = "text_completion"

    def delta(self, text: str, reason: str | None) -> list[dict[str, Any]]:
        """Return the chunk of a token."""
        return [self._object(self.chunk_object, [self.whole(text, reason)])]

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the text."""
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
