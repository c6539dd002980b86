"""The ext_proc service, whatever carries it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb

SERVICE = pb.DESCRIPTOR.services_by_name["ExternalProcessor"].full_name


Later = Callable[[list[pb.ProcessingResponse]], None]


class Conversation(Protocol):
    """One stream, whatever carries it."""

    later: Later | None
    """Set by the transport: sends replies that no message has brought about."""

    @property
    def waiting(self) -> bool:
        """Whether a reply is owed that will come through `later`."""
        ...

    def receive(self, message: pb.ProcessingRequest) -> Sequence[pb.ProcessingResponse]:
        """Answer one message. Never raises: an error is answered too."""
        ...

    def exchange(self, data: bytes) -> Sequence[bytes]:
        """Do the same with a message in bytes; DecodeError if it is none."""
        ...

    @property
    def finished(self) -> bool:
        """Whether an immediate response was given, after which nothing may follow."""
        ...

    def close(self) -> None:
        """Release what the stream holds; called once, however the stream ended."""
        ...


class InMessages(ABC):
    """A conversation that is held in messages alone, for its time matters little."""

    @abstractmethod
    def receive(self, message: pb.ProcessingRequest) -> Sequence[pb.ProcessingResponse]:
        """Answer one message."""

    def exchange(self, data: bytes) -> list[bytes]:
        """Do the same with a message in bytes; DecodeError if it is none."""
        message = pb.ProcessingRequest.FromString(data)
        return [reply.SerializeToString() for reply in self.receive(message)]


Start = Callable[[str], Conversation]
"""Begins a conversation; told the stream's `:authority`, empty where the transport hides it."""


class ExternalProcessor:
    """Opens a conversation for each stream, and counts those that are open.

    A transport never ends a stream well before its peer ended it, unless the conversation has
    finished: Envoy takes such an end for leave to go on, and follows a destination that the client
    names.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._inflight = 0

    @property
    def inflight(self) -> int:
        """How many streams are open."""
        return self._inflight

    def open(self, authority: str = "") -> Conversation:
        """Begin a conversation, which is to be closed with `close`."""
        conversation = self._start(authority)
        self._inflight += 1
        return conversation

    def close(self, conversation: Conversation) -> None:
        """End a conversation, once."""
        self._inflight -= 1
        conversation.close()
