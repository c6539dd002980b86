from __future__ import annotations

from epp.demo.sim.meter import Meter
from tests.demo.sim.play import Play, engine, job


def metered(play: Play) -> Meter:
    meter = Meter()
    while (step := play.begin()) is not None:
        meter.started(step)
        meter.produced(play.engine.finish())
    return meter


def test_a_request_is_counted_from_arrival_to_end() -> None:
    meter = metered(Play(engine(), a=job("x" * 10, max_tokens=3, at=-0.5)))
    assert (meter.prompt_tokens, meter.generation_tokens) == (10, 3)
    assert (meter.queue_s.sum, meter.first_token_s.sum, meter.request_s.sum) == (0.5, 1.5, 3.5)
    assert (meter.between_tokens_s.count, meter.between_tokens_s.sum) == (2, 2.0)
    assert meter.per_token_s.sum == 1.0
    assert meter.ended == {"length": 1}
    assert (meter.request_prompt_tokens.sum, meter.request_generation_tokens.sum) == (10, 3)
    assert (meter.step_tokens.count, meter.step_tokens.sum) == (3, 12)


def test_an_answer_of_one_token_has_no_time_between_tokens() -> None:
    meter = metered(Play(engine(), a=job("x")))
    assert (meter.between_tokens_s.count, meter.per_token_s.count) == (0, 0)


def test_hits_are_counted_at_the_first_admission_only() -> None:
    play = Play(engine(blocks=4), a=job("a" * 8, max_tokens=5), b=job("b" * 6, max_tokens=3))
    meter = metered(play)
    assert meter.preemptions == 1
    assert (meter.queried_tokens, meter.hit_tokens) == (14, 0)


def test_hits_are_tokens() -> None:
    play = Play(engine(seats=1), a=job("abcdefgh" + "x"), b=job("abcdefgh" + "y"))
    meter = metered(play)
    assert (meter.queried_tokens, meter.hit_tokens) == (18, 8)


def test_an_aborted_request_is_no_success() -> None:
    meter = Meter()
    meter.aborted()
    assert meter.ended == {"abort": 1}
