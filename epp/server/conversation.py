"""One ext_proc stream, from its first message to its end, whatever carries it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.actions import Refuse, RequestReply, ResponseReply, Route
from epp.exchange.errors import ProtocolError
from epp.exchange.events import (
    HeaderOnlyRequest,
    Refused,
    RequestBody,
    RequestEvent,
    RequestHeaders,
    RequestLastBody,
    RequestTrailers,
    ResponseEvent,
)
from epp.exchange.modes import BodyMode, Modes
from epp.exchange.request import RequestHalf
from epp.exchange.response import ResponseHalf
from epp.routing import subset
from epp.routing.router import Router
from epp.server import codec
from epp.server.observation import Observation
from epp.telemetry.observer import Observer

_log = logging.getLogger(__name__)

_REQUEST_EVENTS = (
    RequestBody,
    RequestLastBody,
    RequestHeaders,
    HeaderOnlyRequest,
    RequestTrailers,
)
_BUG = Refused(500, "The endpoint picker failed; the request was not sent.", "rejected-error")
_MISUSE = Refused(
    500, "The proxy and the endpoint picker disagree about the protocol.", "rejected-error"
)


class ConversationSettings(msgspec.Struct, frozen=True):
    """What every conversation is told."""

    max_body_bytes: int = 16 * 1024 * 1024
    # for a proxy that does not say in which mode it sends
    modes: Modes = Modes(BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED)
    observe: bool = True  # read the answers: usage, time to first token


class Conversation:
    """Takes Envoy's messages one by one and returns what to send back. Never raises.

    Synchronous: between the choice of an endpoint and its reservation nothing else can run.
    """

    def __init__(
        self,
        router: Router,
        observer: Observer,
        clock: Callable[[], float],
        settings: ConversationSettings,
    ) -> None:
        self._router = router
        self._clock = clock
        self._settings = settings
        self._request: RequestHalf | None = None
        self._response: ResponseHalf | None = None
        self._eligible: list[str] | None = None
        self._observed = Observation(observer, clock())
        self.finished = False  # an answer of the picker's own is out; nothing may follow

    def __repr__(self) -> str:
        return f"<Conversation {self._request!r} {self._response!r}>"

    def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        """Advance by one message."""
        if self.finished:
            return []
        try:
            return [codec.reply(action) for action in self._advance(message)]
        except ProtocolError as error:
            _log.warning("protocol error", extra={"error": str(error)})
            return self._fail(_MISUSE)
        except Exception:  # noqa: BLE001  one stream's bug must not reach the others
            _log.exception("a stream failed")
            return self._fail(_BUG)

    def close(self) -> None:
        """End, however it came: what the request held is given back. Can be called twice."""
        self.finished = True
        self._observed.end(self._clock())

    def _advance(self, message: pb.ProcessingRequest) -> Sequence[RequestReply | ResponseReply]:
        request, response = self._halves(message)
        if message.HasField("metadata_context"):
            given = codec.subset(message, subset.NAMESPACE, subset.KEY)
            self._eligible = self._eligible if given is None else given
        event = codec.event(message)
        if isinstance(event, _REQUEST_EVENTS):
            return self._advance_request(request, event)
        return self._advance_response(response, event)

    def _halves(self, message: pb.ProcessingRequest) -> tuple[RequestHalf, ResponseHalf]:
        if self._request is None or self._response is None:
            settings = self._settings
            modes = codec.modes(message) or settings.modes
            self._response = ResponseHalf(modes.response)
            self._request = RequestHalf(
                modes, limit_bytes=settings.max_body_bytes, observe=settings.observe
            )
        return self._request, self._response

    def _advance_request(self, half: RequestHalf, event: RequestEvent) -> list[RequestReply]:
        self._observed.request(event)
        replies: list[RequestReply] = []
        for action in half.receive(event):
            if isinstance(action, Route):
                replies += self._route(half, action)
                continue
            if isinstance(action, Refuse):
                self._refused(action.refused)
            replies.append(action)
        return replies

    def _route(self, half: RequestHalf, asked: Route) -> list[RequestReply]:
        now = self._clock()
        placement = self._router.route(asked, self._eligible, now)
        self._observed.placed(placement, now, self._clock())
        if self._response is not None and not isinstance(placement.answer, Refused):
            self._response.set_headers = placement.answer.response_headers
        return self._advance_request(half, placement.answer)

    def _advance_response(self, half: ResponseHalf, event: ResponseEvent) -> list[ResponseReply]:
        self._observed.response(event, self._clock)
        return half.receive(event)

    def _refused(self, refused: Refused) -> None:
        self.finished = True
        self._observed.refused(refused)

    def _fail(self, refused: Refused) -> list[pb.ProcessingResponse]:
        self._refused(refused)
        return [codec.reply(Refuse(refused))]
