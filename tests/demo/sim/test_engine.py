from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.demo.sim.cost import Chunk, step_time
from epp.demo.sim.engine import Engine, Limits
from epp.demo.sim.job import Job
from tests.demo.sim.play import Play, engine, job


def test_an_idle_engine_has_no_step() -> None:
    assert engine().start(0.0) is None


def test_a_request_is_in_no_step_that_began_before_it_came() -> None:
    play = Play(engine(), a=job("xxx", at=0.0, max_tokens=3), b=job("yyy", at=0.5))
    assert play.step() == ({"a": 3}, "a")
    assert play.step() == ({"a": 1, "b": 3}, "aB")


def test_a_request_is_prefilled_and_then_decoded_token_by_token() -> None:
    play = Play(engine(), a=job("x" * 10, max_tokens=3))
    assert play.step() == ({"a": 10}, "a")
    assert play.step() == ({"a": 1}, "a")
    assert play.step() == ({"a": 1}, "A")
    assert play.start() == {}


def test_a_long_prompt_takes_several_steps_and_leaves_the_rest_of_the_budget() -> None:
    play = Play(engine(budget=8), a=job("x" * 20, max_tokens=2), b=job("y" * 6))
    assert play.step() == ({"a": 8}, "")
    assert play.step() == ({"a": 8}, "")
    assert play.step() == ({"a": 4, "b": 4}, "a")
    assert play.step() == ({"a": 1, "b": 2}, "AB")


def test_running_requests_come_before_waiting_ones() -> None:
    play = Play(engine(budget=4), a=job("xxxx", max_tokens=3))
    assert play.step() == ({"a": 4}, "a")
    play.submit(b=job("y" * 8))
    assert play.step() == ({"a": 1, "b": 3}, "a")
    assert play.step() == ({"a": 1, "b": 3}, "A")
    assert play.step() == ({"b": 2}, "B")


def test_requests_queue_when_all_seats_are_taken_and_are_admitted_in_order() -> None:
    play = Play(engine(seats=2), a=job("a", 2), b=job("b", 3), c=job("c"), d=job("d"))
    assert play.step() == ({"a": 1, "b": 1}, "ab")
    assert (len(play.engine.running), len(play.engine.waiting)) == (2, 2)
    assert play.step() == ({"a": 1, "b": 1}, "Ab")
    assert play.step() == ({"b": 1, "c": 1}, "BC")
    assert play.step() == ({"d": 1}, "D")


def test_a_cached_prefix_is_not_computed_again() -> None:
    play = Play(engine(), a=job("abcdefgh" + "x"))
    play.step()
    asked = job("abcdefgh" + "yz")
    play.submit(b=asked)
    assert play.step() == ({"b": 2}, "B")
    assert asked.cached == 8


def test_the_last_token_is_computed_even_if_everything_is_cached() -> None:
    play = Play(engine(), a=job("abcdefgh"))
    play.step()
    asked = job("abcdefgh")
    play.submit(b=asked)
    assert play.step() == ({"b": 4}, "B")
    assert asked.cached == 4


def test_blocks_can_be_shared_only_after_the_step_that_computes_them() -> None:
    play = Play(engine(seats=8), a=job("abcdefgh" + "x"))
    play.start()
    play.submit(b=job("abcdefgh" + "y"))
    assert play.engine.blocks.cached == 0
    play.finish()
    assert play.step() == ({"b": 1}, "B")

    at_once = Play(engine(), a=job("abcdefgh" + "x"), b=job("abcdefgh" + "y"))
    assert at_once.step() == ({"a": 9, "b": 9}, "AB")


def test_another_root_shares_nothing() -> None:
    play = Play(engine(), a=job("abcdefgh" + "x"))
    play.step()
    play.submit(b=job("abcdefgh" + "y", root=1))
    assert play.start() == {"b": 9}


def test_an_answer_is_found_in_the_cache_by_the_next_turn() -> None:
    first = job("abcd", max_tokens=9)
    play = Play(engine(), a=first)
    play.drain()
    turn = Job(first.content + b"more", 2, 1, 0.0)
    play.submit(b=turn)
    play.start()
    assert turn.cached == 12  # the last token that was sampled was never computed


def test_a_request_that_finds_no_block_takes_those_of_the_last_one() -> None:
    play = Play(engine(blocks=4), a=job("aaaaaaaa", max_tokens=8), b=job("bbbbbb", max_tokens=8))
    assert play.step() == ({"a": 8, "b": 6}, "ab")
    play.submit(c=job("c"))
    assert play.start() == {"a": 1}  # and c, for which there is room now, is not let in
    assert [play.names[each] for each in play.engine.waiting] == ["b", "c"]
    assert play.finish() == "a"
    assert play.step() == ({"a": 1}, "a")


def test_a_preempted_request_computes_its_prompt_and_its_answer_again() -> None:
    a, b = job("a" * 8, max_tokens=5), job("b" * 6, max_tokens=3)
    play = Play(engine(blocks=4), a=a, b=b)
    tokens = play.drain()
    assert (b.preemptions, a.preemptions) == (1, 0)
    assert sum(token.job is b for token in tokens) == 3
    assert "".join(t.text for t in tokens if t.job is b) == b.content[24:].decode()


def test_the_last_request_gives_way_even_to_its_own_growth() -> None:
    play = Play(engine(blocks=4), a=job("a" * 8, max_tokens=8), b=job("b" * 8, max_tokens=2))
    play.step()
    step = play.begin()
    assert step is not None
    assert [play.names[each] for each in step.preempted] == ["b"]


def test_cached_blocks_are_evicted_for_new_requests_from_their_tail() -> None:
    play = Play(engine(blocks=4), a=job("a" * 12))
    play.step()
    play.submit(b=job("b" * 12))
    play.step()
    asked = job("a" * 12)
    play.submit(c=asked)
    play.step()
    assert asked.cached == 4


def test_a_request_that_could_never_finish_is_refused() -> None:
    with pytest.raises(ValueError, match="17 tokens can never fit into 16"):
        engine(blocks=4).submit(job("a" * 15, max_tokens=2))


def test_steps_do_not_overlap() -> None:
    play = Play(engine(), a=job("a"))
    play.start()
    with pytest.raises(RuntimeError, match="has not finished"):
        play.start()
    play.finish()
    with pytest.raises(RuntimeError, match="no step"):
        play.finish()


def test_an_aborted_request_frees_its_blocks_and_its_seat_at_once() -> None:
    a, b = job("a" * 8, max_tokens=9), job("b", max_tokens=9)
    play = Play(engine(seats=1), a=a, b=b)
    play.start()
    assert play.engine.abort(a)
    assert (play.engine.kv_usage, play.engine.blocks.held) == (0.0, 0)
    assert play.finish() == ""
    assert play.step() == ({"b": 1}, "b")
    assert not play.engine.abort(a)


def test_a_waiting_request_can_be_aborted() -> None:
    a, b = job("a", max_tokens=2), job("b")
    play = Play(engine(seats=1), a=a, b=b)
    play.step()
    assert play.engine.abort(b)
    assert not play.engine.waiting
    assert not play.engine.abort(b)


def test_a_step_lasts_as_long_as_the_hardware_takes() -> None:
    limits, prompt = Limits(1000), "x" * 4000
    durations = []
    for speed in (1.0, 0.5):
        real = Engine(limits, speed=speed)
        real.submit(job(prompt))
        step = real.start(10.0)
        assert step is not None
        durations.append(step.ends_at - step.starts_at)
    assert durations[0] == pytest.approx(step_time([Chunk(4000, 0)]))
    assert durations[1] == pytest.approx(2 * durations[0])


def test_a_cache_hit_brings_the_first_token_earlier_by_what_is_not_computed() -> None:
    def first_token_s(asked: Job, real: Engine) -> float:
        real.submit(asked)
        real.start(0.0)
        return real.finish()[0].at

    real = Engine(Limits(10_000))
    head = "x" * 8000
    cold = first_token_s(job(head + "y" * 100), real)
    warm = first_token_s(job(head + "z" * 100), real)
    assert cold == pytest.approx(step_time([Chunk(8100, 0)]))
    assert warm == pytest.approx(step_time([Chunk(100, 8000)]))
    assert cold - warm > 0.17


def test_tokens_know_when_the_one_before_came() -> None:
    play = Play(engine(), a=job("a", max_tokens=3, at=-2.0))
    assert [(token.since, token.at) for token in play.drain()] == [(-2, 1), (1, 2), (2, 3)]


requests = st.lists(
    st.tuples(
        st.text("ab", min_size=1, max_size=20),
        st.integers(1, 12),
        st.integers(0, 30),  # the step before which it arrives
        st.none() | st.integers(0, 30),  # the step during which its client leaves
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(requests, st.integers(8, 20), st.integers(1, 5), st.integers(1, 24))
def test_whatever_comes_and_goes_all_others_finish_and_no_block_is_lost(
    asked: list[tuple[str, int, int, int | None]], blocks: int, seats: int, budget: int
) -> None:
    small = engine(blocks=blocks, seats=seats, budget=budget)
    jobs = [(job(prompt, length), arrives, leaves) for prompt, length, arrives, leaves in asked]
    left = set[Job]()
    play = Play(small)
    for turn in range(31):
        for each, arrives, _ in jobs:
            if arrives == turn:
                small.submit(each)
        step = play.begin()
        for each, arrives, leaves in jobs:
            if leaves == turn and arrives <= turn and small.abort(each):
                left.add(each)
        if step is not None:
            assert step.tokens <= budget
            small.finish()
        assert len(small.running) <= seats
        assert small.blocks.held == len({b for each in small.running for b in each.blocks})
    play.drain()
    for each, _, _ in jobs:
        assert each.done
        assert each.generated == each.max_tokens or each in left
    assert (small.blocks.held, len(small.running), len(small.waiting)) == (0, 0, 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab", min_size=1, max_size=24), min_size=1, max_size=8))
def test_what_is_cached_was_computed_in_a_step_before(prompts: list[str]) -> None:
    play = Play(engine(blocks=400, seats=2, budget=10))
    computed = set[str]()
    jobs = {job(prompt, 2): prompt for prompt in prompts}
    for each in jobs:
        play.engine.submit(each)
    while (step := play.begin()) is not None:
        for each in step.admitted:
            assert jobs[each][: each.cached] in computed | {""}
        play.engine.finish()
        for each, _ in step.work:
            computed |= {jobs[each][:n] for n in range(0, each.computed + 1, 4)}
