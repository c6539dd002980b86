"""What one stream shows of its request, for the ledger and the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable

from epp.exchange.events import (
    HeaderOnlyResponse,
    Refused,
    RequestBody,
    RequestLastBody,
    RequestMessage,
    ResponseBody,
    ResponseEvent,
    ResponseHeaders,
    ResponseLastBody,
)
from epp.openai.usage import Usage, UsageReader
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.scheduling.decision import Decision, Outcome
from epp.telemetry.observer import Observer
from epp.telemetry.record import Record

_log = logging.getLogger(__name__)

_NO_USAGE = Usage()


class Observation:
    """Watches the events of a stream go by and reports once, at its end.

    Whatever fails in watching is logged and ends the watching, never the stream.
    """

    __slots__ = (
        "_completed",
        "_first_byte_at",
        "_observer",
        "_open",
        "_placement",
        "_reader",
        "_refused",
        "_request_bytes",
        "_response_bytes",
        "_routed_at",
        "_started_at",
        "_status",
        "_watching",
    )

    def __init__(self, observer: Observer, now: float) -> None:
        self._observer = observer
        self._started_at = now
        self._routed_at: float | None = None
        self._first_byte_at: float | None = None
        self._placement: Placement | None = None
        self._refused: Refused | None = None
        self._reader: UsageReader | None = None
        self._status = 0
        self._request_bytes = 0
        self._response_bytes = 0
        self._completed = False
        self._open = True
        self._watching = True
        observer.stream_opened()

    def request(self, event: RequestMessage) -> None:
        """Count the body."""
        if isinstance(event, (RequestBody, RequestLastBody)):
            self._request_bytes += len(event.data)

    def placed(self, placement: Placement, asked_at: float, now: float) -> None:
        """Note what the router made of the request."""
        self._placement = placement
        self._routed_at = now if placement.decision is not None else None
        try:
            self._observer.placed(placement, now - asked_at)
        except Exception:  # noqa: BLE001  the choice stands, whoever cannot hear of it
            self._look_away()

    def refused(self, refused: Refused) -> None:
        """Note that the client gets an answer of the picker's own."""
        self._refused = refused

    def response(self, event: ResponseEvent, clock: Callable[[], float]) -> None:
        """Read the answer; one that no endpoint gave is not credited to any."""
        if not self._watching:
            return
        try:
            if isinstance(event, ResponseBody):
                self._body(event.data, clock)
            else:
                self._start_or_end(event, clock)
        except Exception:  # noqa: BLE001  the answer must reach the client
            self._look_away()

    def end(self, now: float) -> None:
        """Give back what the request held and report it; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        usage = (self._reader.usage if self._reader else None) or _NO_USAGE
        decision = self._placement.decision if self._placement is not None else None
        try:
            self._give_back(usage, now)
        finally:
            try:
                # The second call for a request that was placed before adds nothing to count.
                if self._refused is not None or decision is not None:
                    self._observer.finished(self._record(usage, decision, now), decision)
            finally:
                self._observer.stream_closed()

    def _start_or_end(self, event: ResponseEvent, clock: Callable[[], float]) -> None:
        if isinstance(event, (ResponseHeaders, HeaderOnlyResponse)):
            status = event.headers.get(":status", "")
            self._status = int(status) if status.isdecimal() else 0
            if self._placement is not None and self._placement.decision is not None:
                self._reader = UsageReader(event.headers.get("content-type", ""))
        elif isinstance(event, ResponseLastBody):
            self._body(event.data, clock)
        if not isinstance(event, ResponseHeaders):
            self._completed = True
            if self._reader is not None:
                self._reader.end()

    def _body(self, data: bytes, clock: Callable[[], float]) -> None:
        if not data:
            return
        if self._first_byte_at is None:
            self._first_byte_at = clock()
            if self._placement is not None:
                self._placement.first_token(self._first_byte_at)
        self._response_bytes += len(data)
        if self._reader is not None:
            self._reader.feed(data)

    def _look_away(self) -> None:
        self._watching = False
        _log.exception("a stream goes on unobserved")

    def _give_back(self, usage: Usage, now: float) -> None:
        if self._placement is None:
            return
        self._placement.end(
            Outcome(
                self._status,
                self._completed,
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.cached_tokens,
            ),
            now,
        )

    def _record(self, usage: Usage, decision: Decision | None, now: float) -> Record:
        placement, refused = self._placement, self._refused
        labels = placement.labels if placement else Labels()
        return Record(
            model=labels.model,
            target_model=labels.target_model,
            fairness_id=labels.fairness_id,
            priority=labels.priority,
            streaming=self._reader.streaming if self._reader else False,
            status=refused.status if refused else self._status,
            reason=refused.reason if refused else "",
            started_at=self._started_at,
            routed_at=self._routed_at,
            first_byte_at=self._first_byte_at,
            ended_at=now,
            request_bytes=self._request_bytes,
            response_bytes=self._response_bytes,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            endpoint=decision.winner.address if decision else "",
        )
