"""The waiting requests of one priority."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from epp.routing.admission.flow import Flow, Rank
from epp.routing.admission.limits import RoomLimits
from epp.routing.admission.waiter import Waiter

MAX_FLOWS = 1024  # that have had service and wait for nothing: clients choose the names


class Band:
    """Flows that share fairly, and behind them the requests that are late.

    Start-time fair queueing: the flow with the least service goes first, and one that was idle
    starts where the others are, so that nobody saves service up.
    """

    __slots__ = ("_count", "_flows", "_late", "_rank", "_size_bytes", "_virtual")

    def __init__(self, rank: Rank) -> None:
        self._rank = rank
        self._flows: dict[str, Flow] = {}
        self._late: dict[Waiter, None] = {}
        self._virtual = 0.0
        self._count = 0
        self._size_bytes = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiter]:
        """Go through all in the order in which they would be served."""
        waiting = [flow for flow in self._flows.values() if flow]
        yield from waiting[0].waiters if len(waiting) == 1 else _merged(waiting)
        yield from self._late

    @property
    def size_bytes(self) -> int:
        """What all of them hold."""
        return self._size_bytes

    def fits(self, waiter: Waiter, limits: RoomLimits) -> bool:
        """Tell whether one more is within the limits of this band."""
        return limits.allow(self._count, self._size_bytes + waiter.size_bytes)

    def add(self, waiter: Waiter) -> None:
        """Let it wait."""
        self._count += 1
        self._size_bytes += waiter.size_bytes
        if waiter.late:
            self._late[waiter] = None
            return
        flow = self._flows.get(waiter.flow)
        if flow is None:
            self._make_room()
            flow = self._flows[waiter.flow] = Flow(self._rank, self._virtual)
        elif not flow:
            flow.served = max(flow.served, self._virtual)
        flow.add(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Take it out; KeyError or ValueError if it is not there."""
        if waiter.late:
            del self._late[waiter]
        else:
            flow = self._flows[waiter.flow]
            flow.remove(waiter)
            if not flow and flow.served <= self._virtual:
                del self._flows[waiter.flow]
        self._count -= 1
        self._size_bytes -= waiter.size_bytes

    def serve(self, waiter: Waiter) -> None:
        """Take it out, and count what it costs against its flow."""
        if not waiter.late:
            flow = self._flows[waiter.flow]
            self._virtual = max(self._virtual, flow.served)
            flow.served += waiter.work
        self.remove(waiter)

    def _make_room(self) -> None:
        """Forget the idle flow that has had the least service."""
        if len(self._flows) < MAX_FLOWS:
            return
        idle = [(flow.served, name) for name, flow in self._flows.items() if not flow]
        if idle:
            del self._flows[min(idle)[1]]


def _merged(flows: list[Flow]) -> Iterator[Waiter]:
    heads = [(flow.served, index, 0) for index, flow in enumerate(flows)]
    heapify(heads)
    while heads:
        served, index, at = heappop(heads)
        waiters = flows[index].waiters
        waiter = waiters[at]
        yield waiter
        if at + 1 < len(waiters):
            heappush(heads, (served + waiter.work, index, at + 1))
