from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling import catalogue
from epp.scheduling.decision import Decision, Exhausted, Outcome, Refusal
from epp.scheduling.errors import PluginError
from epp.scheduling.filters.header_based_testing import HeaderBasedTestingFilter
from epp.scheduling.handlers.single_profile import SingleProfileHandler
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.plugin import Producer, ProfileHandler
from epp.scheduling.profile import Named, Profile
from epp.scheduling.query import Query
from epp.scheduling.registry import producers, scorers
from epp.scheduling.scheduler import Reservation, Scheduler
from tests.scheduling.examples import NOW, endpoint, query

catalogue.load_builtin()

POOL = [endpoint(number) for number in range(4)]
ENDED = Outcome(status=200, completed=True)


class Diary:
    """A producer that writes down what it is told."""

    def __init__(self, *, fails_to: str = "") -> None:
        self.entries: list[tuple[object, ...]] = []
        self._fails_to = fails_to

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> object:
        return "a fact"

    def reserve(self, query: Query, decision: Decision, fact: str) -> str:
        self._write("reserve", decision.winner.address, fact)
        return "a bookmark"

    def first_token(self, query: Query, decision: Decision, held: str, now: float) -> None:
        self._write("first token", decision.winner.address, held, now)

    def release(
        self, query: Query, decision: Decision, held: str, outcome: Outcome, now: float
    ) -> None:
        self._write("release", decision.winner.address, held, outcome, now)

    def forget(self, endpoint: Endpoint) -> None:
        self._write("forget", endpoint.address)

    def response_headers(self, decision: Decision) -> Sequence[tuple[str, str]]:
        return (("x-diary", decision.winner.name),)

    def _write(self, *entry: object) -> None:
        self.entries.append(entry)
        if entry[0] == self._fails_to:
            raise RuntimeError(f"cannot {self._fails_to}")


class Chooses:
    """A profile handler with its own mind."""

    def __init__(self, name: str) -> None:
        self._name = name

    def choose(self, query: Query, profiles: Sequence[str]) -> str:
        return self._name


def profile(name: str, *scorer_types: str) -> Profile:
    return Profile(
        name,
        (),
        tuple(Named(scorer, scorers.make(scorer, {})) for scorer in scorer_types),
        Named("max-score-picker", MaxScorePicker()),
    )


def scheduler(
    *scorer_types: str,
    diaries: Mapping[str, Producer] | None = None,
    handler: ProfileHandler | None = None,
) -> Scheduler:
    first = profile("first", *scorer_types)
    needed = {name: producers.make(name, {}) for name in first.needs()}
    return Scheduler(
        [first, profile("second")],
        handler or SingleProfileHandler(),
        {**needed, **(diaries or {})},
    )


def reserve(scheduler: Scheduler, pool: Sequence[Endpoint] = POOL, seed: int = 1) -> Reservation:
    found = scheduler.schedule(query("a prompt"), pool, Random(seed))
    assert isinstance(found, Reservation)
    return found


def test_a_burst_in_one_turn_is_spread_because_each_pick_counts_at_once() -> None:
    picker = scheduler("active-request-scorer")
    picked = Counter(reserve(picker).decision.winner.address for _ in range(8))
    assert picked == {e.address: 2 for e in POOL}


def test_a_request_that_ended_makes_room() -> None:
    picker = scheduler("active-request-scorer")
    held = [reserve(picker) for _ in POOL]
    held[2].release(ENDED, NOW)
    assert reserve(picker).decision.winner is held[2].decision.winner


def test_a_reservation_is_released_once() -> None:
    diary = Diary()
    held = reserve(scheduler(diaries={"diary": diary}), POOL[:1])
    held.release(ENDED, NOW)
    held.release(Outcome(), NOW)
    address = POOL[0].address
    assert diary.entries == [
        ("reserve", address, "a fact"),
        ("release", address, "a bookmark", ENDED, NOW),
    ]


def test_the_first_token_is_told_once_with_what_the_reserve_gave() -> None:
    diary = Diary()
    held = reserve(scheduler(diaries={"diary": diary}), POOL[:1])
    held.first_token(NOW + 1.0)
    held.first_token(NOW + 2.0)
    assert diary.entries[1:] == [("first token", POOL[0].address, "a bookmark", NOW + 1.0)]


def test_a_second_release_leaves_the_count_of_others_alone() -> None:
    picker = scheduler("active-request-scorer")
    first, second = reserve(picker, POOL[:1]), reserve(picker, POOL[:1])
    first.release(ENDED, NOW)
    first.release(ENDED, NOW)
    assert reserve(picker, POOL[:2]).decision.winner is POOL[1]
    second.release(ENDED, NOW)


def test_scorers_see_the_facts_of_producers() -> None:
    found = reserve(scheduler(diaries={"diary": Diary()}))
    assert found.query.fact("diary", str) == "a fact"


def test_an_endpoint_that_left_is_forgotten_by_every_producer() -> None:
    one, other = Diary(), Diary()
    scheduler(diaries={"one": one, "other": other}).forget(POOL[:2])
    assert one.entries == other.entries == [("forget", e.address) for e in POOL[:2]]


def test_without_endpoints_nothing_is_asked() -> None:
    diary = Diary()
    picker = scheduler(diaries={"diary": diary})
    assert picker.schedule(query(), [], Random(1)) == Refusal(Exhausted.NO_ENDPOINTS)
    assert diary.entries == []


def test_a_refusal_reserves_nothing() -> None:
    diary = Diary()
    nobody = Profile(
        "nobody",
        (Named("f", HeaderBasedTestingFilter()),),
        (),
        Named("max-score-picker", MaxScorePicker()),
    )
    picker = Scheduler([nobody], SingleProfileHandler(), {"diary": diary})
    found = picker.schedule(query(), POOL, Random(1))
    assert isinstance(found, Refusal)
    assert found.verdicts[0].dropped == tuple(e.address for e in POOL)
    assert diary.entries == []


def test_the_handler_chooses_the_profile() -> None:
    picker = scheduler(handler=Chooses("second"))
    assert reserve(picker).decision.profile == "second"


def test_a_handler_that_invents_a_profile_is_told_so() -> None:
    with pytest.raises(PluginError, match="'third', not one of \\('first', 'second'\\)"):
        reserve(scheduler(handler=Chooses("third")))


def test_the_answer_gets_the_headers_of_every_producer() -> None:
    found = reserve(scheduler(diaries={"one": Diary(), "other": Diary()}), POOL[:1])
    assert found.response_headers == [("x-diary", "pod-0"), ("x-diary", "pod-0")]


def test_a_producer_that_fails_at_the_pick_does_not_keep_what_others_reserved() -> None:
    diary, broken = Diary(), Diary(fails_to="reserve")
    with pytest.raises(RuntimeError, match="cannot reserve"):
        reserve(scheduler(diaries={"diary": diary, "broken": broken}))
    assert [entry[0] for entry in diary.entries] == ["reserve", "release"]
    assert [entry[0] for entry in broken.entries] == ["reserve"]


def test_a_producer_that_fails_at_the_end_does_not_keep_it_from_others() -> None:
    one, broken, other = Diary(), Diary(fails_to="release"), Diary()
    held = reserve(scheduler(diaries={"one": one, "broken": broken, "other": other}))
    with pytest.raises(RuntimeError, match="cannot release"):
        held.release(ENDED, NOW)
    assert one.entries[-1][0] == other.entries[-1][0] == "release"


def test_the_scheduler_names_its_profiles() -> None:
    assert repr(scheduler()) == "<Scheduler first, second>"
