from __future__ import annotations

import msgspec

from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer
from epp.demo.traffic import Answer, Plan, Traffic, conversations

PLAN = Plan(conversations=4, turns=2, per_second=50, think_s=0, instructions_words=200)
MODEL = SimOptions().served_model_name[0]


def test_a_plan_is_the_same_each_time_and_its_seed_changes_it() -> None:
    assert list(conversations(PLAN)) == list(conversations(PLAN))
    assert list(conversations(PLAN)) != list(conversations(msgspec.structs.replace(PLAN, seed=2)))


def test_conversations_begin_one_after_the_other() -> None:
    starts = [c.starts_s for c in conversations(PLAN)]
    assert starts == sorted(starts)
    assert len(starts) == 4


async def test_each_turn_is_an_answer_and_finds_the_one_before_in_the_cache() -> None:
    answers: list[Answer] = []
    async with SimServer(SimOptions(port=0, name="one")) as server:
        await Traffic(f"{server.url}/v1", MODEL, answers.append).play(PLAN)
    assert len(answers) == 8
    assert {a.replica for a in answers} == {"one"}
    assert all(0 < a.first_token_s <= a.whole_s for a in answers)
    assert sum(a.cached_tokens > a.prompt_tokens / 2 for a in answers) >= 4


async def test_an_error_is_told_and_ends_its_conversation() -> None:
    answers: list[Answer] = []
    async with SimServer(SimOptions(port=0)) as server:
        server.set_faults(error_rate=1.0)
        await Traffic(f"{server.url}/v1", MODEL, answers.append).play(PLAN)
    assert len(answers) == 4
    assert all(a.error for a in answers)
