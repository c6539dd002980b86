"""What one stream shows of its request, for the ledger and the metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable

from epp.exchange.events import (
    HeaderOnlyResponse,
    Refused,
    ResponseBody,
    ResponseEvent,
    ResponseHeaders,
    ResponseLastBody,
)
from epp.openai.answer import is_stream
from epp.openai.usage import Usage
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.routing.waiting import Waiting
from epp.scheduling.decision import Decision, Outcome
from epp.server.billing import Bill, Billing, Metadata
from epp.server.progress import Progress
from epp.telemetry.level import Level
from epp.telemetry.observer import Observer
from epp.telemetry.record import Record

_log = logging.getLogger(__name__)

_NO_USAGE = Usage()
_NO_LABELS = Labels()
_NONE, _FULL = Level.NONE, Level.FULL  # faster than by the name of their class
_NO_METADATA: Metadata = {}


class Observation:
    """Watches the events of a stream go by and reports once, at its end.

    Whatever fails in watching is logged and ends the watching, never the stream.
    """

    __slots__ = (
        "_bill",
        "_billing",
        "_completed",
        "_first_byte_at",
        "_level",
        "_observer",
        "_open",
        "_placed_at",
        "_placement",
        "_progress",
        "_refused",
        "_response_bytes",
        "_routed_at",
        "_started_at",
        "_status",
        "_streaming",
        "_watching",
    )

    def __init__(
        self,
        observer: Observer,
        now: float,
        level: Level = Level.FULL,
        billing: Billing | None = None,
    ) -> None:
        self._observer = observer
        self._level = level
        self._billing = billing
        self._bill: Bill | None = None
        self._started_at = self._placed_at = now
        self._routed_at: float | None = None
        self._first_byte_at: float | None = None
        self._placement: Placement | None = None
        self._refused: Refused | None = None
        self._progress: Progress | None = None
        self._status = 0
        self._streaming = False
        self._response_bytes = 0
        self._completed = False
        self._open = True
        self._watching = True
        observer.stream_opened()

    def placed(self, placement: Placement, asked_at: float, now: float) -> None:
        """Note what the router made of the request."""
        self._placement = placement
        self._placed_at = now
        self._routed_at = now if placement.decision is not None else None
        try:
            self._observer.placed(placement, now - asked_at)
        except Exception:  # noqa: BLE001  the choice stands, whoever cannot hear of it
            self._look_away()

    def gave_up(self, waiting: Waiting, now: float) -> None:
        """Note that nobody waits for an endpoint any more."""
        self._observer.gave_up(waiting, now)

    def refused(self, refused: Refused) -> None:
        """Note that the client gets an answer of the picker's own."""
        self._refused = refused

    def response(self, event: ResponseEvent, clock: Callable[[], float]) -> None:
        """Read the answer; one that no endpoint gave is not credited to any."""
        if not self._watching:
            return
        try:
            if type(event) is ResponseBody:
                self.chunk(event.data, clock)
            else:
                self._start_or_end(event, clock)
        except Exception:  # noqa: BLE001  the answer must reach the client
            self._look_away()

    def chunk(self, data: bytes, clock: Callable[[], float]) -> None:
        """Read a part of the answer's body."""
        if not (data and self._watching):
            return
        try:
            if self._first_byte_at is None:
                self._begin(clock())
            self._response_bytes += len(data)
            if self._progress is not None:
                self._progress.feed(data, clock)
        except Exception:  # noqa: BLE001  the same
            self._look_away()

    def charge(self) -> Metadata:
        """Return what the proxy is to charge by now, if that is more than it was told."""
        if self._bill is None or self._progress is None or not self._watching:
            return _NO_METADATA
        try:
            return self._bill.update(self._progress.reader, self._latencies_ms())
        except Exception:  # noqa: BLE001  the answer must reach the client
            self._look_away()
            return _NO_METADATA

    def end(self, now: float, request_bytes: int = 0) -> None:
        """Give back what the request held and report it; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        placement = self._placement
        decision = None if placement is None else placement.decision
        usage, itl_s = self._usage(), self._itl_s()
        try:
            if placement is not None:
                placement.end(self._outcome(usage, itl_s), now)
        finally:
            try:
                # The second call for a request that was placed before adds nothing to count.
                if self._refused is not None or decision is not None:
                    record = self._record(decision, usage, itl_s, now, request_bytes)
                    self._observer.finished(record, decision)
            finally:
                self._observer.stream_closed()

    def _start_or_end(self, event: ResponseEvent, clock: Callable[[], float]) -> None:
        kind = type(event)  # faster than isinstance
        if kind is ResponseHeaders or kind is HeaderOnlyResponse:
            self._headers(event, clock)  # type: ignore[arg-type]
        elif kind is ResponseLastBody:
            self.chunk(event.data, clock)  # type: ignore[attr-defined]
        if kind is not ResponseHeaders:
            self._completed = True
            if self._progress is not None:
                self._progress.reader.end()

    def _headers(
        self, event: ResponseHeaders | HeaderOnlyResponse, clock: Callable[[], float]
    ) -> None:
        headers, level = event.headers, self._level
        status = headers.get(":status", "")
        self._status = int(status) if status.isdecimal() else 0
        placement = self._placement
        if level is _NONE or placement is None or placement.decision is None:
            return
        if level is not _FULL:
            self._streaming = is_stream(headers.get("content-type", ""))
            if not self._streaming:  # its body comes with its headers, and may not be shown
                self._begin(clock())
            return
        self._progress = Progress(headers, placement.labels.operation)
        self._streaming = self._progress.reader.streaming
        if self._billing is not None and 200 <= self._status < 300:
            backend = placement.decision.winner.address
            self._bill = self._billing.open(placement.labels, backend)

    def _begin(self, now: float) -> None:
        self._first_byte_at = now
        if self._placement is not None:
            self._placement.first_token(now)

    def _look_away(self) -> None:
        self._watching = False
        _log.exception("a stream goes on unobserved")

    def _usage(self) -> Usage:
        return (self._progress.reader.usage if self._progress else None) or _NO_USAGE

    def _ttft_s(self, since: float) -> float | None:
        first = self._progress.first_token_at if self._progress is not None else None
        return None if first is None else first - since

    def _itl_s(self) -> float | None:
        return self._progress.itl_s() if self._progress is not None else None

    def _tokens(self, usage: Usage) -> int | None:
        """Return an answer's length: most clients do not ask for the usage of a stream."""
        if usage.completion_tokens is not None or self._progress is None or not self._completed:
            return usage.completion_tokens
        return self._progress.tokens() or None

    def _latencies_ms(self) -> dict[str, float]:
        ttft_s, itl_s = self._ttft_s(self._started_at), self._itl_s()
        latencies = {"token_latency_ttft": ttft_s, "token_latency_itl": itl_s}
        return {name: round(s * 1e3, 3) for name, s in latencies.items() if s is not None}

    def _outcome(self, usage: Usage, itl_s: float | None) -> Outcome:
        return Outcome(
            self._status,
            self._completed,
            usage.prompt_tokens,
            self._tokens(usage),
            usage.cached_tokens,
            self._ttft_s(self._placed_at),
            itl_s,
        )

    def _record(
        self,
        decision: Decision | None,
        usage: Usage,
        itl_s: float | None,
        now: float,
        request_bytes: int,
    ) -> Record:
        refused = self._refused
        labels = _NO_LABELS if self._placement is None else self._placement.labels
        # In their order, not by their names: that takes a fifth of the time.
        return Record(
            labels.model,
            labels.target_model,
            "" if self._progress is None else self._progress.reader.model,
            labels.operation,
            labels.fairness_id,
            labels.priority,
            self._streaming,
            self._status if refused is None else refused.status,
            "" if refused is None else refused.reason,
            self._started_at,
            self._routed_at,
            self._first_byte_at,
            now,
            self._ttft_s(self._started_at),
            itl_s,
            request_bytes,
            self._response_bytes,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.cached_tokens,
            usage.cache_creation_tokens,
            usage.reasoning_tokens,
            "" if decision is None else decision.winner.address,
        )
