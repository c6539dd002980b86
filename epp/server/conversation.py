"""One ext_proc stream, from its first message to its end, whatever carries it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.actions import Answer, Refuse, RequestReply, ResponseReply, Route
from epp.exchange.events import Answered, Refused, RequestEvent, RequestMessage, Routed
from epp.exchange.modes import BodyMode, Modes
from epp.exchange.request import RequestHalf
from epp.exchange.response import ResponseHalf, State
from epp.routing.placement import Placement
from epp.routing.router import Router
from epp.routing.waiting import Waiting
from epp.server import bodies, codec, failure, heads
from epp.server.billing import Billing
from epp.server.editing import Editing
from epp.server.observation import Observation
from epp.server.processor import Later
from epp.server.replies import acknowledge, serialized
from epp.telemetry.level import Level, Sampler
from epp.telemetry.observer import Observer

_log = logging.getLogger(__name__)

_parse = pb.ProcessingRequest.FromString
_OF_REQUEST = frozenset(RequestMessage.__subclasses__())  # faster than isinstance

# What replies to a chunk of an answer that goes by as it is: in these states one changes nothing.
_PASSING: Mapping[State, Callable[[bytes], bytes]] = {
    State.ACKNOWLEDGING: acknowledge,
    State.ECHOING: bodies.echo,
}

Reply = TypeVar("Reply", pb.ProcessingResponse, bytes)


class ConversationSettings(msgspec.Struct, frozen=True):
    """What every conversation is told."""

    max_body_bytes: int = 16 * 1024 * 1024
    # for a proxy that does not say in which mode it sends
    modes: Modes = Modes(BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED)
    sampler: Sampler = Sampler(Level.FULL, 1)  # what is read of the answers
    edits: bool = False  # answers may have to be edited, whatever is read of them
    editing: Editing = msgspec.field(default_factory=Editing)
    billing: Billing | None = None  # what is charged; then the sampler must say: all
    opened: Callable[[Modes], None] = lambda _: None  # told the modes of each stream


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
        self._halves: tuple[RequestHalf, ResponseHalf] | None = None
        self._modes = settings.modes
        self._eligible: list[str] | None = None
        self._level = settings.sampler.next()
        self._started_at = clock()
        self._observed = Observation(observer, self._started_at, self._level, settings.billing)
        self._unheard = False
        self._waiting: Waiting | None = None
        self._passing: Callable[[bytes], bytes] | None = None  # if the answer goes by as it is
        self.finished = False  # an answer of the picker's own is out; nothing may follow
        # Sends what no message has brought about: of a request that waits, once it is placed. None:
        # nobody can, and so the request does not wait.
        self.later: Later | None = None

    def __repr__(self) -> str:
        return f"<Conversation {self._halves}>"

    @property
    def waiting(self) -> bool:
        """Whether a reply is owed that will come through `later`."""
        return self._waiting is not None

    def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        """Advance by one message."""
        if self.finished or self._unheard:
            return []
        try:
            return list(map(codec.reply, self._read(message)))
        except Exception as error:  # noqa: BLE001  one stream's bug must not reach the others
            return self._failed(error, failure.MESSAGES)

    def exchange(self, data: bytes) -> Sequence[bytes]:
        """Do the same with bytes. DecodeError if they are no message."""
        if (reply := self._passing) is not None:
            if (chunk := bodies.chunk(data)) is not None:
                self._observed.chunk(chunk, self._clock)
                return (reply(chunk),)
            self._passing = None
        body = bodies.read(data)
        other: codec.Heard | pb.ProcessingRequest | None = None
        if body is None or self._halves is None:  # a first message tells of the stream too
            other = heads.read(data) or bodies.hear(data) or _parse(data)
        if self.finished or self._unheard:
            return ()
        try:
            if other is None:
                replies = self._take(body)  # type: ignore[arg-type]  # it is there
            elif type(other) is codec.Heard:
                replies = self._hear(other)
            else:
                replies = self._read(other)  # type: ignore[arg-type]
            return list(map(serialized, replies))
        except Exception as error:  # noqa: BLE001  the same
            return self._failed(error, failure.BYTES)

    def close(self) -> None:
        """End, however it came: what the request held is given back. Can be called twice."""
        self.finished = True
        self._passing = None
        self.later = (
            None  # that is the carrier, which holds this: no work for the garbage collector
        )
        try:
            self._wait_no_longer()
            size = 0 if self._halves is None else self._halves[0].size_bytes
            self._observed.end(self._clock(), size)
        except Exception:  # noqa: BLE001  the stream is over, and nobody is there to answer
            _log.exception("a stream did not end well")

    def _read(self, message: pb.ProcessingRequest) -> Sequence[RequestReply | ResponseReply]:
        beside = codec.around(message)
        if beside.unheard:
            return self._stay_out()
        return self._hear(codec.Heard(codec.event(message), beside))

    def _hear(self, heard: codec.Heard) -> Sequence[RequestReply | ResponseReply]:
        """Advance by one event, which has come with something beside it."""
        event, beside = heard.event, heard.around
        if beside.unheard:
            return self._stay_out()
        if self._halves is None:
            self._begin(beside)
        if beside.eligible is not None and type(event) in _OF_REQUEST:
            self._eligible = beside.eligible
        return self._take(event)

    def _take(self, event: codec.Event) -> Sequence[RequestReply | ResponseReply]:
        """Advance by one event; the stream has begun."""
        assert self._halves is not None
        request, response = self._halves
        if type(event) in _OF_REQUEST:
            return self._perform(request, response, event)  # type: ignore[arg-type]
        if self._waiting is not None:
            self._wait_no_longer()  # the proxy has answered by itself
        self._observed.response(event, self._clock)  # type: ignore[arg-type]  # it is one
        if self._settings.billing is not None:
            response.metadata = self._observed.charge() or response.metadata
            return response.receive(event)  # type: ignore[arg-type]
        replies = response.receive(event)  # type: ignore[arg-type]
        self._passing = _PASSING.get(response.state)
        return replies

    def _begin(self, beside: codec.Around) -> None:
        settings = self._settings
        modes = codec.modes(beside) or settings.modes
        settings.opened(modes)
        read = self._level is Level.FULL or settings.edits
        request = RequestHalf(modes, limit_bytes=settings.max_body_bytes, observe=read)
        self._modes = request.override or modes
        self._halves = request, ResponseHalf(modes.response)

    def _stay_out(self) -> list[RequestReply]:
        """Envoy shows this stream and hears no reply: a choice would count and not be followed."""
        _log.warning("the proxy is in observability_mode: the picker cannot choose for it")
        self._unheard = True
        return []

    def _perform(
        self, request: RequestHalf, response: ResponseHalf, event: RequestEvent
    ) -> list[RequestReply]:
        replies: list[RequestReply] = []
        for action in request.receive(event):
            if type(action) is Route:  # faster than isinstance
                placed = self._route(action, response)
                if placed is not None:
                    replies += self._perform(request, response, placed)
                continue
            if type(action) is Refuse:
                self._refused(action.refused)
            elif type(action) is Answer:
                self.finished = True
            replies.append(action)  # type: ignore[arg-type]  # it is no Route
        return replies

    def _route(self, asked: Route, response: ResponseHalf) -> Routed | Refused | Answered | None:
        """Return what came of the request; None: it waits."""
        now, eligible, self._eligible = self._clock(), self._eligible, None
        if self.later is None:
            placed: Placement | Waiting = self._router.route(asked, eligible, now, self._started_at)
        else:
            placed = self._router.route(asked, eligible, now, self._started_at, self._placed_later)
        if isinstance(placed, Waiting):
            self._waiting = placed
            return None
        return self._follow(placed, response, now)

    def _follow(
        self, placement: Placement, response: ResponseHalf, asked_at: float
    ) -> Routed | Refused | Answered:
        self._observed.placed(placement, asked_at, self._clock())
        placement.settle()
        if isinstance(placement.answer, Routed):
            self._prepare(response, placement.answer)
        return placement.answer

    def _placed_later(self, placement: Placement) -> None:
        """Go on with a request that waited; in another stream's turn, so this never raises."""
        self._waiting = None
        try:
            replies = self._go_on(placement)
        except Exception as error:  # noqa: BLE001  one stream's bug must not reach the others
            replies = self._failed(error, failure.MESSAGES)
        if self.later is not None:
            self.later(replies)

    def _go_on(self, placement: Placement) -> list[pb.ProcessingResponse]:
        assert self._halves is not None
        request, response = self._halves
        answer = self._follow(placement, response, self._clock())
        return [codec.reply(action) for action in self._perform(request, response, answer)]

    def _wait_no_longer(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.leave()
            self._observed.gave_up(waiting, self._clock())

    def _prepare(self, response: ResponseHalf, routed: Routed) -> None:
        response.set_headers = routed.response_headers
        if routed.edit is not None:
            editor = self._settings.editing.start(routed.edit, self._modes)
            if editor is not None:
                response.edit(editor)

    def _refused(self, refused: Refused) -> None:
        self.finished = True
        self._observed.refused(refused)

    def _failed(self, error: Exception, replies: Mapping[Refused, Reply]) -> list[Reply]:
        refused = failure.refusal(error)
        self._refused(refused)
        return [replies[refused]]
