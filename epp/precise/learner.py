"""Has prompts tokenized beside their requests, for those that begin alike."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from epp.precise.tokenizer import Tokenizer, TokenizerError
from epp.routing.known_tokens import KnownTokens
from epp.scheduling.producers.precise_prefix_cache import Wanted

_log = logging.getLogger(__name__)

_QUEUE = 64
_FAILURES = 3  # in a row
_PAUSE_S = 10.0


class Learner:
    """A few workers and a short queue: what does not fit in is not learned, and nobody waits.

    `counts` says what became of the prompts. Who fails three times in a row is left alone for ten
    seconds: a server that is busy must not be kept so by us.
    """

    def __init__(self, tokenizer: Tokenizer, known: KnownTokens, workers: int) -> None:
        self.counts: Counter[str] = Counter()
        self._tokenizer = tokenizer
        self._known = known
        self._workers = workers
        self._queue: asyncio.Queue[Wanted] = asyncio.Queue(_QUEUE)
        self._failures = 0
        self._not_before = float("-inf")

    def __repr__(self) -> str:
        return f"<Learner {self._known!r}, {self._queue.qsize()} queued>"

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    def want(self, prompts: Iterable[Wanted]) -> None:
        """Learn these when there is time."""
        for wanted in prompts:
            try:
                self._queue.put_nowait(wanted)
            except asyncio.QueueFull:
                self.counts["dropped"] += 1

    async def settled(self) -> None:
        """Wait until all that is queued has been worked on."""
        await self._queue.join()

    async def _work(self) -> None:
        while True:
            wanted = await self._queue.get()
            try:
                self.counts[await self._learn(wanted)] += 1
            finally:
                self._queue.task_done()

    async def _learn(self, wanted: Wanted) -> str:
        known = self._known.find(wanted.model, wanted.prompt)
        if known is not None and known.share == 1.0:
            return "known"
        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            return "paused"
        try:
            ids = await self._tokenizer.tokens(wanted.model, wanted.prompt, wanted.endpoint)
        except TokenizerError as error:
            self._fail(error)
            return "failed"
        self._failures = 0
        if ids is None:
            return "impossible"
        self._known.learn(wanted.model, wanted.prompt, ids)
        return "learned"

    def _fail(self, error: TokenizerError) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._failures = 0
            self._not_before = asyncio.get_running_loop().time() + _PAUSE_S
            _log.warning("prompts are not tokenized for a while: %s", error)
