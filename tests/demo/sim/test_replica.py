from __future__ import annotations

import asyncio
from typing import Any

import pytest

from epp.demo.sim.ask import Ask
from epp.demo.sim.driver import Ticket
from epp.demo.sim.options import SimOptions
from epp.demo.sim.problem import Problem
from epp.demo.sim.replica import Replica

PROMPT = b"word" * 64


def replica(**options: Any) -> Replica:
    return Replica(SimOptions(served_model_name=("base", "alias"), loras=("poet",), **options))


async def submitted(to: Replica, ask: Ask) -> Ticket:
    ticket = to.submit(ask)
    assert isinstance(ticket, Ticket)
    return ticket


async def test_all_names_of_the_model_and_its_adapters_are_served() -> None:
    served = replica()
    for name, adapter in ((None, ""), ("base", ""), ("alias", ""), ("poet", "poet")):
        ticket = await submitted(served, Ask(PROMPT, model=name))
        assert ticket.job.adapter == adapter


def test_another_model_is_not_found() -> None:
    problem = replica().submit(Ask(PROMPT, model="other"))
    assert isinstance(problem, Problem)
    assert (problem.status, problem.param) == (404, "model")


@pytest.mark.parametrize(
    ("max_model_len", "max_tokens", "fits"),
    [(64, None, False), (65, None, True), (68, 4, True), (67, 4, False), (63, 1, False)],
)
async def test_prompt_and_answer_must_fit(
    max_model_len: int, max_tokens: int | None, fits: bool
) -> None:
    answer = replica(max_model_len=max_model_len).submit(Ask(PROMPT, max_tokens=max_tokens))
    assert isinstance(answer, Ticket if fits else Problem)


async def test_an_answer_without_a_limit_is_as_long_as_the_model_likes() -> None:
    job = (await submitted(replica(), Ask(PROMPT))).job
    assert 16 <= job.max_tokens <= 256
    assert job.reason == "stop"
    assert (await submitted(replica(), Ask(PROMPT))).job.max_tokens == job.max_tokens


async def test_an_answer_without_a_limit_still_fits() -> None:
    job = (await submitted(replica(max_model_len=70), Ask(PROMPT))).job
    assert job.max_tokens == 6


async def test_a_limit_is_reached() -> None:
    job = (await submitted(replica(), Ask(PROMPT, max_tokens=5))).job
    assert (job.max_tokens, job.reason) == (5, "length")


async def test_adapters_and_salts_do_not_share_the_cache() -> None:
    served = replica()
    asks = [
        Ask(PROMPT),
        Ask(PROMPT, model="alias"),
        Ask(PROMPT, model="poet"),
        Ask(PROMPT, cache_salt="s"),
    ]
    base, alias, poet, salted = [(await submitted(served, ask)).job.root for ask in asks]
    assert base == alias
    assert len({base, poet, salted}) == 3


def test_models_are_listed_with_their_parents() -> None:
    listed = {model["id"]: model["parent"] for model in replica().models()}
    assert listed == {"base": None, "alias": None, "poet": "base"}


async def test_adapters_are_on_the_page_only_where_there_are_any() -> None:
    assert "vllm:lora_requests_info" in replica().metrics()
    assert "vllm:lora_requests_info" not in Replica(SimOptions()).metrics()


@pytest.mark.looptime
async def test_background_load_keeps_a_replica_busy() -> None:
    quiet, noisy = replica(), replica(background_rps=3.0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run()) for each in (quiet, noisy)]
        await asyncio.sleep(20)
        for task in tasks:
            task.cancel()
    assert quiet.meter.prompt_tokens == 0
    assert 35 < noisy.meter.ended["length"] < 85


@pytest.mark.looptime
async def test_background_load_does_not_grow_without_bound() -> None:
    drowning = replica(background_rps=50.0, max_num_seqs=2)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(drowning.run())
        await asyncio.sleep(5)
        task.cancel()
    assert len(drowning.engine.waiting) == 2
