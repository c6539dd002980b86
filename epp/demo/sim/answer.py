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
    """Return the server-sent event of a chunk."""
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


class Answer(msgspec.Struct, frozen=True):
    """What all chunks of an answer have in common; a subclass for each endpoint says the rest."""

    prefix: ClassVar[str]
    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]

    id: str
    model: str
    created: int

    def opening(self) -> list[dict[str, Any]]:
        """Return the chunks that go before the first token's."""
        return []

    @abstractmethod
    def delta(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the chunk of a token."""

    @abstractmethod
    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the one choice of an answer that is not streamed."""

    def _object(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "choices": choices, **more}

    def ending(self, usage: dict[str, Any]) -> dict[str, Any]:
        """Return the chunk with the token counts, which has no choice."""
        return self._object(self.chunk_object, [], usage=usage, system_fingerprint=FINGERPRINT)

    def complete(self, text: str, reason: str | None, usage: dict[str, Any]) -> dict[str, Any]:
        """Return the answer in one piece."""
        choices = [self.whole(text, reason)]
        return self._object(self.whole_object, choices, usage=usage, system_fingerprint=FINGERPRINT)


class ChatAnswer(Answer, frozen=True):
    """The answer of /v1/chat/completions."""

    prefix = "chatcmpl"
    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def opening(self) -> list[dict[str, Any]]:
        """Return the chunk that names the role."""
        return [self._chunk({"role": "assistant", "content": ""}, None)]

    def delta(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the chunk of a token."""
        return self._chunk({"content": text}, reason)

    def _chunk(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._object(self.chunk_object, [choice])

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the message."""
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}


class TextAnswer(Answer, frozen=True):
    """The answer of /v1/completions."""

    prefix = "cmpl"
    whole_object = "text_completion"
    chunk_object = "text_completion"

    def delta(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the chunk of a token."""
        return self._object(self.chunk_object, [self.whole(text, reason)])

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """Return the text."""
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
