from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scrape.errors import ScrapeError
from epp.scrape.interview import Answer, Interview
from epp.scrape.pace import Pace
from epp.scrape.replica import Replica
from epp.scrape.target import Target
from epp.scrape.ways import Ways
from tests.scrape.pages import small

pytestmark = pytest.mark.looptime
PACE = Pace(interval_s=0.1, idle_interval_s=1.0, idle_after_s=2.0, max_backoff_s=2.0)
SLOW = ScrapeError("timeout", "no answer")


ABSENT = ScrapeError("status", "404")


class Asker:
    """Answers after `takes_s` with the same page, and notes when it was asked for it.

    It has no list of models.
    """

    def __init__(self) -> None:
        self.takes_s = 0.01
        self.result: bytes | ScrapeError = small(waiting=3)
        self.asked_at: list[float] = []
        self.busy = False
        self.closed = False
        self.answered: Callable[[Answer], None]

    def ask(self, target: Target) -> None:
        assert not self.busy
        loop = asyncio.get_running_loop()
        self.busy = True
        if b"/v1/models" in target.request:
            loop.call_soon(self._answer, ABSENT)
        else:
            self.asked_at.append(loop.time())
            loop.call_later(self.takes_s, lambda: self._answer(self.result))

    def close(self) -> None:
        self.closed = True

    def _answer(self, answer: Answer) -> None:
        self.busy = False
        if not self.closed:
            self.answered(answer)


class Watched:
    """A replica, its asker, and what it reported."""

    def __init__(self, address: str = "10.0.0.1:8000", engine: str = "vllm") -> None:
        endpoint = Endpoint(address, metrics_url=f"http://{address}/metrics", engine=engine)
        self.recounts: list[Load] = []
        self.asker = Asker()
        self.reports: list[Load | ScrapeError] = []
        self.in_flight = 0
        self.moments = 1000
        self.replica = Replica(
            endpoint,
            self._connect,
            Interview(
                endpoint, Ways(endpoint, ""), clock=self._clock, ours=lambda _: self.in_flight
            ),
            lambda _, read: self.reports.append(read),
            recounted=lambda _, load: self.recounts.append(load),
            pace=PACE,
            clock=self._clock,
            rng=random.Random(7),
            in_flight=lambda _: self.in_flight,
            moments=lambda: self.moments,
        )

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    def _connect(self, answered: Callable[[Answer], None]) -> Asker:
        self.asker.answered = answered
        return self.asker

    def asked(self, since: float, until: float) -> int:
        return sum(since <= at < until for at in self.asker.asked_at)


def started() -> Watched:
    watched = Watched()
    watched.replica.start()
    return watched


async def test_a_newcomer_is_asked_at_once_and_then_once_a_second() -> None:
    watched = started()
    await asyncio.sleep(10)
    assert watched.asker.asked_at[0] <= PACE.interval_s
    assert 10 <= len(watched.asker.asked_at) <= 11
    first = watched.reports[0]
    assert isinstance(first, Load)
    assert first == Load(first.at, 3, 0, 0.0, engine="vllm")
    assert first.at == pytest.approx(watched.asker.asked_at[0] + 0.01)


async def test_a_pick_makes_it_asked_at_once_and_often_for_a_while() -> None:
    watched = started()
    await asyncio.sleep(5.55)
    watched.replica.used()
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    assert watched.asker.asked_at[-1] == pytest.approx(5.55)
    await asyncio.sleep(20)
    assert 20 <= watched.asked(5.55, 7.55) <= 22
    assert watched.asked(8.6, 18.6) == 10


async def test_every_pick_but_the_first_leaves_the_pace_alone() -> None:
    watched = started()
    await asyncio.sleep(5)
    for _ in range(400):
        watched.replica.used()
        await asyncio.sleep(0.01)
    assert 40 <= watched.asked(5, 9) <= 42


async def test_a_replica_with_a_request_in_flight_is_in_use() -> None:
    watched = started()
    await asyncio.sleep(3)
    watched.in_flight = 1
    await asyncio.sleep(100)
    assert watched.asked(5, 100) == pytest.approx(950, abs=1)


async def test_it_keeps_its_own_moments() -> None:
    watched = started()
    watched.in_flight = 1
    await asyncio.sleep(50)
    offsets = {
        round(at % PACE.interval_s, 6) % PACE.interval_s for at in watched.asker.asked_at[1:]
    }
    assert len(offsets) == 1


async def test_neighbours_are_spread_over_the_interval() -> None:
    pool = [Watched(f"10.0.0.{host}:8000") for host in range(100)]
    for one in pool:
        one.replica.start()
    await asyncio.sleep(0.999 * PACE.interval_s)
    counts = [
        sum(one.asked(tenth * 0.01, (tenth + 1) * 0.01) for one in pool) for tenth in range(10)
    ]
    assert sum(counts) >= 99
    assert max(counts) <= 20


async def test_some_neighbours_are_asked_in_the_same_moment() -> None:
    pool = [Watched(f"10.0.0.{host}:8000") for host in range(100)]
    for one in pool:
        one.moments, one.in_flight = 25, 1
        one.replica.start()
    await asyncio.sleep(2 * PACE.interval_s)
    seconds = [round(one.asker.asked_at[1] % PACE.interval_s, 6) for one in pool]
    by_moment = Counter(second % PACE.interval_s for second in seconds)
    assert 20 <= len(by_moment) <= 25
    assert max(by_moment.values()) <= 12


async def test_a_slow_answer_never_overlaps_the_next_question() -> None:
    watched = started()
    watched.in_flight = 1
    watched.asker.takes_s = 0.25  # the asker itself refuses a second question
    await asyncio.sleep(30)
    assert watched.asked(0, 30) == pytest.approx(100, abs=2)


async def test_an_answer_slower_than_half_an_interval_costs_no_turn() -> None:
    watched = started()
    watched.in_flight = 1
    watched.asker.takes_s = 0.09
    await asyncio.sleep(30)
    assert watched.asked(1, 30) == pytest.approx(290, abs=1)


async def test_a_failing_replica_is_asked_ever_less_up_to_a_bound() -> None:
    watched = started()
    watched.asker.result = SLOW
    watched.in_flight = 1
    await asyncio.sleep(60)
    at = watched.asker.asked_at
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps[0] <= 0.3
    assert max(gaps) <= 2.1
    assert 30 <= len(at) <= 60
    assert watched.reports == [SLOW] * len(watched.reports)


async def test_traffic_does_not_undo_the_backoff() -> None:
    watched = started()
    watched.asker.result = SLOW
    for _ in range(6000):
        watched.replica.used()
        await asyncio.sleep(0.01)
    assert len(watched.asker.asked_at) <= 60


async def test_a_replica_that_recovers_has_its_pace_back_at_once() -> None:
    watched = started()
    watched.asker.result = SLOW
    watched.in_flight = 1
    await asyncio.sleep(20)
    watched.asker.result = small()
    await asyncio.sleep(2.1)
    assert watched.asked(20, 22.1) >= 1
    await asyncio.sleep(10)
    assert watched.asked(22.1, 32.1) == pytest.approx(100, abs=1)


async def test_the_first_pick_of_an_idle_replica_is_told_from_the_next() -> None:
    watched = started()
    await asyncio.sleep(5.55)
    watched.in_flight = 1  # the pick itself is counted before it is told
    watched.replica.used()
    await asyncio.sleep(0.001)
    assert watched.asker.asked_at[-1] == pytest.approx(5.55)


async def test_picks_of_a_server_without_a_queue_are_counted_at_once() -> None:
    watched = Watched(engine="ollama")
    watched.asker.result = b'{"models": []}'
    watched.replica.start()
    await asyncio.sleep(1)
    watched.in_flight = 2
    watched.replica.used()
    assert [(load.waiting, load.waiting_is_ours) for load in watched.recounts] == [(2, True)]


async def test_ends_are_counted_at_once_too() -> None:
    watched = Watched(engine="ollama")
    watched.asker.result = b'{"models": []}'
    watched.replica.start()
    await asyncio.sleep(1)
    watched.in_flight = 1
    watched.replica.recount()
    watched.in_flight = 0
    watched.replica.recount()
    assert [load.waiting for load in watched.recounts] == [1, 0]


async def test_a_server_without_metrics_is_counted_again_and_again_and_never_asked() -> None:
    watched = Watched(engine="none")
    watched.replica.start()
    watched.in_flight = 3
    await asyncio.sleep(10)
    watched.in_flight = 0
    await asyncio.sleep(10)
    loads = [load for load in watched.reports if isinstance(load, Load)]
    assert [loads[0].waiting, loads[-1].waiting] == [3, 0]
    assert len(watched.reports) == len(loads) >= 100
    assert loads[-1].at >= 19
    assert watched.asker.asked_at == []


@pytest.mark.parametrize("page", [b"", b"hello\n", small(waiting="NaN", running=-1, usage=7)])
async def test_a_page_that_tells_nothing_is_a_failure(page: bytes) -> None:
    watched = started()
    watched.asker.result = page
    await asyncio.sleep(1)
    first = watched.reports[0]
    assert isinstance(first, ScrapeError)
    assert first.kind == "empty"


async def test_a_closed_replica_is_never_asked_again() -> None:
    watched = started()
    await asyncio.sleep(5)
    watched.replica.close()
    watched.replica.used()
    asked = len(watched.asker.asked_at)
    await asyncio.sleep(10)
    assert len(watched.asker.asked_at) == asked
    assert watched.asker.closed


async def test_the_log_tells_of_a_lasting_failure_once_and_of_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = started()
    caplog.set_level(logging.INFO, "epp.scrape")
    watched.asker.result = SLOW
    await asyncio.sleep(30)
    watched.asker.result = small()
    await asyncio.sleep(30)
    assert [record.getMessage() for record in caplog.records] == [
        "metrics of 10.0.0.1:8000 cannot be read: timeout: no answer",
        "metrics of 10.0.0.1:8000 can be read again",
    ]
