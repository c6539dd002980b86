from __future__ import annotations

import asyncio

import pytest

from epp.demo.sim.faults import Faults, FaultSwitch, changed


def test_a_patch_changes_only_what_it_names() -> None:
    faults = changed(Faults(hang=True), b'{"error_rate": 0.5}')
    assert faults == Faults(hang=True, error_rate=0.5)


@pytest.mark.parametrize(
    ("patch", "complaint"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"hagn": true}', "unknown field `hagn`"),
        (b'{"error_rate": 1.5}', "<= 1.0"),
        (b'{"exit_after_requests": 0}', ">= 1"),
        (b'{"hang": "\xff"}', "utf-8"),
    ],
)
def test_a_wrong_patch_is_explained(patch: bytes, complaint: str) -> None:
    faults = changed(Faults(), patch)
    assert isinstance(faults, str)
    assert complaint in faults


async def test_setting_faults_is_news() -> None:
    switch = FaultSwitch(Faults())
    async with asyncio.TaskGroup() as group:
        news = group.create_task(switch.news())
        await asyncio.sleep(0)
        assert not news.done()
        switch.set(Faults(refuse_s=1))
    assert news.result() is True


async def test_the_first_faults_are_news_if_connections_are_to_be_refused() -> None:
    assert await FaultSwitch(Faults(refuse_s=1)).news()


@pytest.mark.looptime
async def test_the_server_goes_away_in_time() -> None:
    loop = asyncio.get_running_loop()
    switch = FaultSwitch(Faults(exit_after_s=30))
    before = loop.time()
    assert not await switch.news()
    assert loop.time() - before == pytest.approx(30)


async def test_the_server_goes_away_after_its_last_completion() -> None:
    switch = FaultSwitch(Faults(exit_after_requests=2))
    switch.answered()
    assert not switch.spent
    switch.answered()
    assert not await switch.news()


async def test_completions_count_from_the_moment_in_which_the_faults_are_set() -> None:
    switch = FaultSwitch(Faults())
    switch.answered()
    switch.set(Faults(exit_after_requests=1))
    assert await switch.news()
    switch.answered()
    assert not await switch.news()
