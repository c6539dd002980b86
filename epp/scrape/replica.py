"""One replica: when it is asked, and what becomes of its answers."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable
from typing import Protocol

import xxhash

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scrape.errors import ScrapeError
from epp.scrape.interview import Answer, Interview, Turn
from epp.scrape.pace import Pace
from epp.scrape.target import Target

_log = logging.getLogger(__name__)

# One failure is a hiccup; so many in a row are worth a line in the log.
_WORTH_TELLING = 3


class Asker(Protocol):
    """What asks for a page and hands the answer to a callback."""

    @property
    def busy(self) -> bool:
        """Whether a question is open."""
        ...

    def ask(self, target: Target) -> None:
        """Ask for the page."""
        ...

    def close(self) -> None:
        """Never answer again."""
        ...


class Replica:
    """Gives one endpoint its turns; `report` gets every load, or what went wrong.

    The next turn is set when the last question of this one is answered, so the two never overlap.
    `recounted` gets a load whose requests have been counted anew, without a question. `moments`
    says in how many moments of an interval the pool's replicas are asked.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        connect: Callable[[Callable[[Answer], None]], Asker],
        interview: Interview,
        report: Callable[[Endpoint, Load | ScrapeError], None],
        *,
        recounted: Callable[[Endpoint, Load], None],
        pace: Pace,
        clock: Callable[[], float],
        rng: random.Random,
        in_flight: Callable[[Endpoint], int],
        moments: Callable[[], int],
    ) -> None:
        self.endpoint = endpoint
        self._asker = connect(self._receive)
        self._interview = interview
        self._report = report
        self._recounted = recounted
        self._pace = pace
        self._clock = clock
        self._rng = rng
        self._in_flight = in_flight
        self._moments = moments
        # The same on every start, and unlike the neighbours' with the next address.
        self._lot = xxhash.xxh32_intdigest(endpoint.address.encode()) / 2**32
        self._failures = 0
        self._used_at = -math.inf
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._turn: Turn | None = None

    def __repr__(self) -> str:
        return f"<Replica {self.endpoint}, {self._failures} failures in a row>"

    def start(self) -> None:
        """Begin to ask."""
        self._begin_at(self._pace.first(self._clock(), self._phase()))

    def close(self) -> None:
        """Never ask again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._turn = None
        self._asker.close()

    def used(self) -> None:
        """Take note of a pick; a replica that was idle until now is asked at once.

        One that fails is not: traffic must not undo its backoff.
        """
        now = self._clock()
        was_idle = not self._pace.in_use(now, self._used_at) and self._in_flight(self.endpoint) <= 1
        self._used_at = now
        self.recount()
        if was_idle and not self._failures and self._timer is not None:
            self._timer.cancel()
            self._begin_at(now)

    def recount(self) -> None:
        """Count the requests of ours anew, where the server does not tell its queue."""
        recount = self._interview.recount()
        if recount is not None:
            self._recounted(self.endpoint, recount)

    def _phase(self) -> float:
        """Return the moment of the interval that is this replica's, and some others'.

        To wake up, with what is needed out of the processor's caches, costs more than to read a
        page: of a few replicas at a time each takes half.
        """
        moments = self._moments()
        return math.floor(self._lot * moments) / moments

    def _in_use(self, now: float) -> bool:
        return self._pace.in_use(now, self._used_at) or self._in_flight(self.endpoint) > 0

    def _begin_at(self, due: float) -> None:
        self._due = due
        delay_s = max(0.0, due - self._clock())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._turn = self._interview.turn(self._succeed)
        self._go_on(None)

    def _receive(self, answer: Answer) -> None:
        self._go_on(answer)

    def _go_on(self, answer: Answer | None) -> None:
        turn = self._turn
        if turn is None:
            return
        try:
            question = next(turn) if answer is None else turn.send(answer)
        except StopIteration as end:
            self._end(end.value)
        else:
            self._asker.ask(question)

    def _end(self, error: ScrapeError | None) -> None:
        self._turn = None
        now = self._clock()
        if error is not None:
            self._fail(error, now)
            return
        in_use = self._in_use(now)
        self._begin_at(self._pace.following(now, self._due, self._phase(), in_use=in_use))

    def _succeed(self, load: Load) -> None:
        if self._failures >= _WORTH_TELLING:
            _log.info("metrics of %s can be read again", self.endpoint)
        self._failures = 0
        self._report(self.endpoint, load)

    def _fail(self, error: ScrapeError, now: float) -> None:
        self._failures += 1
        if self._failures == _WORTH_TELLING:
            _log.warning("metrics of %s cannot be read: %s", self.endpoint, error)
        # Failures must not line up: many replicas may fail in the same moment.
        self._begin_at(self._pace.after_failure(now, self._failures, self._rng.random()))
        self._report(self.endpoint, error)
