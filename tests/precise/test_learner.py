from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from epp.pool.endpoint import Endpoint
from epp.precise.learner import Learner
from epp.precise.tokenizer import TokenizerError
from epp.routing.known_tokens import KnownTokens
from epp.scheduling.producers.precise_prefix_cache import Wanted

A = Endpoint("127.0.0.1:8000")


class Scripted:
    """Answers each prompt with its own number; "fail" fails, "odd" cannot be known."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def tokens(self, model: str, prompt: str, endpoint: Endpoint) -> list[int] | None:
        self.asked.append(prompt)
        if prompt.startswith("fail"):
            raise TokenizerError("as told")
        return None if prompt.startswith("odd") else [int(prompt)]


def wanted(*prompts: str) -> list[Wanted]:
    return [Wanted("m", prompt, A) for prompt in prompts]


@asynccontextmanager
async def learning(tokenizer: Scripted) -> AsyncIterator[Learner]:
    learner = Learner(tokenizer, KnownTokens(1 << 20), workers=2)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(learner.run())
        yield learner
        running.cancel()


async def test_what_is_learned_is_known_and_not_asked_for_again() -> None:
    tokenizer = Scripted()
    async with learning(tokenizer) as learner:
        learner.want(wanted("7"))
        await learner.settled()
        learner.want(wanted("7", "odd"))
        await learner.settled()
        assert learner.counts == {"learned": 1, "known": 1, "impossible": 1}
        assert tokenizer.asked == ["7", "odd"]
        found = learner._known.find("m", "7")
        assert found is not None
        assert len(found) == 1


async def test_what_does_not_fit_into_the_queue_is_dropped() -> None:
    learner = Learner(Scripted(), KnownTokens(1 << 20), workers=1)
    learner.want(wanted(*map(str, range(70))))
    assert learner.counts == {"dropped": 6}


async def test_who_fails_again_and_again_is_left_alone_for_a_while() -> None:
    tokenizer = Scripted()
    async with learning(tokenizer) as learner:
        for prompt in ("fail 1", "fail 2", "fail 3", "4"):
            learner.want(wanted(prompt))
            await learner.settled()
        assert learner.counts == {"failed": 3, "paused": 1}
        assert "4" not in tokenizer.asked
        learner._not_before = 0.0
        learner.want(wanted("5"))
        await learner.settled()
        assert learner.counts["learned"] == 1


async def test_one_that_fails_does_not_stop_the_others() -> None:
    async with learning(Scripted()) as learner:
        learner.want(wanted("fail", "1", "fail", "2"))
        await learner.settled()
        assert learner.counts == {"failed": 2, "learned": 2}
