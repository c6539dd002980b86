from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Outcome
from epp.scheduling.ledger.account import Held
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import WorkLedgerProducer
from epp.scheduling.tokens import Tokens, pack
from tests.scheduling.examples import NOW, decision, query

A = Endpoint("10.0.0.1:8000", generation=1)
B = Endpoint("10.0.0.2:8000", generation=2)
PROMPT = "x" * 4000
ENDED = Outcome(200, completed=True)


def made(**parameters: Any) -> WorkLedgerProducer:
    return WorkLedgerProducer(WorkLedgerProducer.Parameters(**parameters))


def sent(
    ledger: WorkLedgerProducer, to: Endpoint, prompt: str = PROMPT, **asked: Any
) -> tuple[Held, Workload]:
    wanted = query(prompt, **asked)
    fact = ledger.produce(wanted, [A, B])
    return ledger.reserve(wanted, decision(to), fact), fact


def books(
    ledger: WorkLedgerProducer, now: float = NOW, pool: Sequence[Endpoint] = (A, B)
) -> Workload:
    return ledger.produce(query(now=now), pool)


def first_token(
    ledger: WorkLedgerProducer, held: Held, to: Endpoint, now: float, **asked: Any
) -> None:
    ledger.first_token(query(**asked).settled(), decision(to), held, now)


def ended(
    ledger: WorkLedgerProducer, held: Held, to: Endpoint, now: float = NOW, outcome: Outcome = ENDED
) -> None:
    ledger.release(query().settled(), decision(to), held, outcome, now)


def test_the_next_request_sees_what_was_just_picked() -> None:
    ledger = made()
    sent(ledger, A)
    standing = books(ledger).at(A)
    assert (standing.requests, standing.held) == (1, 1000.0)
    assert standing.queue_s(NOW) == pytest.approx(0.0224, rel=0.01)
    assert books(ledger).at(B).requests == 0


def test_the_first_token_ends_the_prefill_and_the_end_everything() -> None:
    ledger = made()
    held, _ = sent(ledger, A)
    first_token(ledger, held, A, NOW)
    standing = books(ledger).at(A)
    assert (standing.queue_s(NOW), standing.requests, standing.decoding) == (0.0, 1, 1)
    ended(ledger, held, A)
    assert books(ledger).at(A).requests == 0


def test_where_nobody_sees_the_answers_time_ends_the_prefill() -> None:
    ledger = made()
    sent(ledger, A)
    assert books(ledger, NOW + 1.0).at(A).queue_s(NOW + 1.0) == 0.0


def test_what_is_cached_is_no_work() -> None:
    ledger = made()
    matches = PrefixMatches(range(10), Cut(100), {A.address: 5}, prompt_units=1000.0)
    asked = query(PROMPT, facts={APPROX_PREFIX: matches})
    half = ledger.reserve(asked, decision(A), ledger.produce(asked, [A, B]))
    whole = ledger.reserve(asked, decision(B), ledger.produce(asked, [A, B]))
    assert half.work_s == pytest.approx(whole.work_s / 2, rel=0.05)
    assert half.prompt == whole.prompt


def test_what_another_producer_found_cached_is_no_work_either() -> None:
    ledger = made()
    matches = PrefixMatches(range(10), Cut(100), {A.address: 10}, prompt_units=1000.0)
    asked = query(PROMPT, facts={"precise-prefix-cache-producer": matches})
    held = ledger.reserve(asked, decision(A), ledger.produce(asked, [A, B]))
    assert held.uncached == 0.0


def test_tokens_that_are_known_are_not_estimated() -> None:
    asked = query(PROMPT, tokens=Tokens(pack(range(300)), share=0.5))
    assert made().produce(asked, [A]).prompt == 600.0


def test_an_endpoint_that_left_is_forgotten_and_its_requests_end_nowhere() -> None:
    ledger = made()
    held, _ = sent(ledger, A)
    ledger.forget(A)
    back = structs.replace(A, generation=3)
    again, _ = sent(ledger, back)
    ended(ledger, held, A)
    assert books(ledger).at(back).requests == 1
    ended(ledger, again, back)
    assert books(ledger).at(back).requests == 0


def test_an_endpoint_that_came_back_begins_at_nothing_though_nobody_said_that_it_left() -> None:
    ledger = made()
    sent(ledger, A)
    back = structs.replace(A, generation=3)
    assert books(ledger, pool=(back, B)).at(back).requests == 0


def test_to_forget_an_earlier_life_leaves_the_present_one() -> None:
    ledger = made()
    back = structs.replace(A, generation=3)
    sent(ledger, back)
    ledger.forget(A)
    assert books(ledger, pool=(back, B)).at(back).requests == 1


def test_times_to_the_first_token_teach_how_slow_the_servers_are() -> None:
    ledger = made()
    for tick in range(400):
        now = NOW + 10.0 * tick
        held, _ = sent(ledger, A, "x" * 40_000, now=now, stream=True)
        first_token(ledger, held, A, now + 3 * held.predicted_s, stream=True)
        ended(ledger, held, A, now + 5.0)
    assert books(ledger).ratio == pytest.approx(3.0, rel=0.1)


def test_the_first_byte_of_an_answer_that_is_not_streamed_teaches_nothing() -> None:
    ledger = made()
    held, _ = sent(ledger, A, stream=False)
    first_token(ledger, held, A, NOW + 100.0, stream=False)
    assert books(ledger).ratio == 1.0


def test_the_outcome_tells_the_time_where_nobody_saw_the_first_token() -> None:
    ledger = made()
    held, _ = sent(ledger, A)
    ended(ledger, held, A, outcome=Outcome(200, completed=True, ttft_s=50.0))
    assert books(ledger).ratio > 1.0


def test_a_time_counts_once() -> None:
    ledger = made()
    held, _ = sent(ledger, A, stream=True)
    first_token(ledger, held, A, NOW + 9.0, stream=True)
    ratio = books(ledger).ratio
    ended(ledger, held, A, outcome=Outcome(200, completed=True, ttft_s=50.0))
    assert books(ledger).ratio == ratio


def test_usage_teaches_how_long_prompts_and_answers_are() -> None:
    ledger = made()
    for _ in range(300):
        held, _ = sent(ledger, A)
        outcome = Outcome(200, completed=True, prompt_tokens=2000, completion_tokens=50)
        ended(ledger, held, A, outcome=outcome)
    fact = ledger.produce(query(PROMPT), [A, B])
    assert (fact.prompt, fact.output) == pytest.approx((2000.0, 50.0), rel=0.05)


@pytest.mark.parametrize("outcome", [Outcome(500, True, 9, 9), Outcome(200, False, 9, 9)])
def test_answers_that_failed_or_broke_off_teach_no_lengths(outcome: Outcome) -> None:
    ledger = made()
    held, _ = sent(ledger, A)
    ended(ledger, held, A, outcome=outcome)
    assert ledger.produce(query(PROMPT), [A]).output == 256.0


@pytest.mark.parametrize(
    ("reserved", "limit", "expected"), [(0, None, 256.0), (900, None, 900.0), (900, 10, 10.0)]
)
def test_an_answer_counts_as_long_as_its_limit_says_else_as_is_reserved(
    reserved: int, limit: int | None, expected: float
) -> None:
    ledger = made(reserved_tokens=reserved)
    assert ledger.produce(query(PROMPT, max_tokens=limit), [A]).output == expected


def test_what_is_reserved_can_be_changed_at_any_time_and_back() -> None:
    ledger = made(reserved_tokens=900)
    found = []
    for tokens in (50, None):
        ledger.reserve_tokens(tokens)
        found.append(ledger.produce(query(PROMPT), [A]).output)
    assert found == [50.0, 900.0]


def test_a_limit_that_nobody_reaches_is_not_believed() -> None:
    assert made().produce(query(PROMPT, max_tokens=1_000_000), [A]).output == 256.0


def test_an_endpoint_that_joins_later_warms_up() -> None:
    ledger = made(ramp_seconds=20.0)
    books(ledger, NOW, [A])
    books(ledger, NOW + 1.0)
    assert books(ledger, NOW + 11.0).ramps == {B.address: 0.5}
    assert books(ledger, NOW + 21.0).ramps == {}


def test_the_pressure_grows_with_what_was_dispatched_and_is_bounded() -> None:
    ledger = made()
    calm = sent(ledger, A, "x" * 400_000)[1].pressure
    busy = sent(ledger, A, "x" * 400_000)[1].pressure
    for _ in range(100):
        sent(ledger, A, "x" * 400_000)
    assert 0.0 == calm < busy < books(ledger).pressure == 4.0


def told(endpoint: Endpoint, running: int, at: float) -> Endpoint:
    return structs.replace(endpoint, load=Load(at, running=running, waiting=0))


def test_a_picker_that_just_began_knows_that_it_does_not_know() -> None:
    ledger = made()
    busy = [told(A, 9, NOW), told(B, 9, NOW)]
    assert books(ledger, NOW, busy).young
    assert not books(ledger, NOW + 11.0, busy).young


def test_a_picker_of_idle_servers_knows_all_there_is() -> None:
    assert not books(made(), NOW, [told(A, 0, NOW), told(B, 1, NOW)]).young


def test_other_clients_requests_are_learned_from_the_metrics() -> None:
    ledger = made()
    for reading in range(4):
        now = NOW + reading
        books(ledger, now, [told(A, 6, now), told(B, 0, now)])
    assert [books(ledger, NOW + 4).at(e).requests for e in (A, B)] == [6, 0]


def test_a_pool_whose_readings_are_all_known_is_compared_again_when_one_is_new() -> None:
    ledger = made()
    pool = tuple(Endpoint(f"a:{port}", load=Load(NOW, running=0, waiting=0)) for port in range(70))
    for _ in range(5):
        books(ledger, NOW, pool)
    for reading in range(1, 9):  # each is looked at in one of two picks
        now = NOW + reading / 2
        pool = tuple(structs.replace(e, load=Load(now, running=5, waiting=0)) for e in pool)
        books(ledger, now, pool)
        books(ledger, now, pool)
    found = books(ledger, NOW + 4.0, pool)
    assert {found.at(endpoint).requests for endpoint in pool} == {5}


def test_an_endpoint_that_never_told_anything_is_not_idle_where_others_are_not() -> None:
    ledger = made()
    for reading in range(4):
        now = NOW + reading
        books(ledger, now, [told(A, 6, now)])
    assert books(ledger, NOW + 4, [told(A, 6, NOW + 4), B]).at(B).requests == 6


def test_old_metrics_correct_nothing() -> None:
    ledger = made()
    for reading in range(9):
        now = NOW + reading
        books(ledger, now, [told(A, 6, now - 30.0), B])
    assert books(ledger, NOW + 9).at(A).requests == 0


def test_who_told_and_does_not_any_more_is_silent_until_it_tells_again() -> None:
    ledger = made()

    def ask(second: float, a: float, b: float | None) -> set[str]:
        told_b = B if b is None else told(B, 1, NOW + b)
        pool = (told(A, 1, NOW + a), told_b)
        return set(books(ledger, NOW + second, pool).silent)

    assert ask(0.0, 0.0, None) == ask(0.1, 0.1, None) == set()
    assert ask(1.9, 0.1, None) == set()
    assert ask(2.2, 0.1, None) == {A.address}  # B never told anything
    assert ask(2.3, 2.3, 2.3) == set()
    assert ask(2.4, 2.4, 2.4) == set()
    assert ask(5.0, 2.4, 4.9) == {A.address}
    assert ask(20.0, 2.4, 4.9) == {A.address, B.address}
    ledger.forget(A)
    assert ask(20.1, 20.1, 4.9) == {B.address}


def test_who_is_read_seldom_is_not_silent_in_between() -> None:
    ledger = made()
    for reading in (0.0, 30.0, 60.0):
        books(ledger, NOW + reading, [told(A, 1, NOW + reading)])
    assert not books(ledger, NOW + 120.0, [told(A, 1, NOW + 60.0)]).silent
    assert books(ledger, NOW + 180.0, [told(A, 1, NOW + 60.0)]).silent


def test_who_falls_silent_when_nobody_tells_any_more_is_found_too() -> None:
    ledger = made()
    for second in (0.0, 0.1):
        pool = (told(A, 1, NOW + second), told(B, 1, NOW + 10 * second))
        books(ledger, NOW + 10 * second, pool)
    books(ledger, NOW + 2.5, pool := (told(A, 1, NOW + 0.1), told(B, 1, NOW + 2.4)))
    assert set(books(ledger, NOW + 2.6, pool).silent) == {A.address}
    assert len(books(ledger, NOW + 60.0, pool).silent) == 2


def test_a_large_pool_is_compared_bit_by_bit() -> None:
    ledger = made()
    pool = [Endpoint(f"10.0.1.{n}:1", generation=1) for n in range(150)]
    for reading in range(12):
        now = NOW + reading
        books(ledger, now, [told(e, 3, now) for e in pool])
    assert all(books(ledger, NOW + 20, pool).at(e).requests == 3 for e in pool)


ENDPOINTS = st.integers(0, 3)
STEPS = st.floats(0.0, 5.0)


class LedgerEqualsPlainLists(RuleBasedStateMachine):
    """Any interleaving of picks, first tokens, ends, joins, leaves, readings and time."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = made()
        self.now = NOW
        self.generations = [1, 2, 3, 4]
        self.open: list[tuple[Endpoint, Held, bool]] = []

    def endpoint(self, number: int, load: Load | None = None) -> Endpoint:
        return Endpoint(f"10.0.0.{number}:1", generation=self.generations[number], load=load)

    @property
    def pool(self) -> list[Endpoint]:
        return [self.endpoint(number) for number in range(4)]

    @rule(number=ENDPOINTS, chars=st.integers(0, 100_000), limit=st.none() | st.integers(0, 9999))
    def pick(self, number: int, chars: int, limit: int | None) -> None:
        asked = query("x" * chars, now=self.now, max_tokens=limit, stream=True)
        winner = self.endpoint(number)
        held = self.ledger.reserve(asked, decision(winner), self.ledger.produce(asked, self.pool))
        self.open.append((winner, held, False))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), step=STEPS)
    def answer(self, data: st.DataObject, step: float) -> None:
        self.now += step
        i = data.draw(st.integers(0, len(self.open) - 1))
        winner, held, answered = self.open[i]
        if not answered:
            first_token(self.ledger, held, winner, self.now, stream=True)
            self.open[i] = winner, held, True

    @precondition(lambda self: self.open)
    @rule(data=st.data(), step=STEPS, seen=st.booleans())
    def end(self, data: st.DataObject, step: float, *, seen: bool) -> None:
        self.now += step
        winner, held, _ = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        outcome = Outcome(200, True, 100, 10) if seen else Outcome()
        ended(self.ledger, held, winner, self.now, outcome)

    @rule(number=ENDPOINTS, told=st.booleans())
    def flap(self, number: int, *, told: bool) -> None:
        if told:
            self.ledger.forget(self.endpoint(number))
        self.generations[number] += 10

    @rule(number=ENDPOINTS, running=st.integers(0, 9), step=STEPS)
    def read(self, number: int, running: int, step: float) -> None:
        self.now += step
        pool = self.pool
        pool[number] = self.endpoint(number, Load(self.now, running=running, waiting=0))
        self.ledger.produce(query(now=self.now), pool)

    @rule(step=STEPS)
    def wait(self, step: float) -> None:
        self.now += step

    @invariant()
    def the_books_are_what_is_open(self) -> None:
        fact = self.ledger.produce(query(now=self.now), self.pool)
        for endpoint in self.pool:
            here = [
                held
                for winner, held, _ in self.open
                if (winner.address, winner.generation) == (endpoint.address, endpoint.generation)
            ]
            account = self.ledger._accounts[endpoint.address]
            assert len(account) == len(here)
            assert account._prompt == pytest.approx(sum(held.prompt for held in here), abs=1e-3)
            waiting = sum(account._waiting.values())
            assert account._waiting_s == pytest.approx(waiting, abs=1e-6)
            assert set(account._waiting) <= set(here)
            standing = fact.at(endpoint)
            queue_s = standing.queue_s(self.now)
            assert queue_s >= 0.0
            if account.others.count <= 0:
                assert queue_s <= sum(held.work_s for held in here) + 1e-6
            assert min(standing.requests, standing.decoding, standing.held) >= 0
            assert standing.requests == max(0, len(here) + account.others.count)

    def teardown(self) -> None:
        for winner, held, _ in self.open:
            ended(self.ledger, held, winner, self.now, Outcome())
        for account in self.ledger._accounts.values():
            assert (len(account), account._waiting_s, account._prompt) == (0, 0.0, 0.0)


TestLedgerEqualsPlainLists = LedgerEqualsPlainLists.TestCase
TestLedgerEqualsPlainLists.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


def test_the_books_know_whether_the_servers_list_the_same_models() -> None:
    def listing(endpoint: Endpoint, *models: str) -> Endpoint:
        return structs.replace(endpoint, load=Load(NOW, models=frozenset(models)))

    ledger = made()
    assert not books(ledger, pool=[listing(A, "m"), B]).models_differ
    assert not books(ledger, pool=[listing(A, "m"), listing(B, "m")]).models_differ
    assert books(ledger, pool=[listing(A, "m"), listing(B, "m", "n")]).models_differ
    assert not books(ledger, pool=[listing(A, "m"), listing(B, "m")]).models_differ


def test_the_books_know_whether_any_server_tells_what_it_has_in_memory() -> None:
    ledger = made()
    assert not books(ledger, pool=[A, structs.replace(B, load=Load(NOW))]).models_differ
    swapping = structs.replace(B, load=Load(NOW, loaded=frozenset()))
    assert books(ledger, pool=[A, swapping]).models_differ
    assert books(ledger, NOW + 600.0, pool=[A, swapping]).models_differ  # however old
    ledger.forget(B)
    assert not books(ledger, pool=[A]).models_differ
