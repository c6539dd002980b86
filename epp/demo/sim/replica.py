"""One simulated server without its socket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

from epp.demo.sim.adapters import AdapterHistory
from epp.demo.sim.ask import Ask
from epp.demo.sim.background import arrivals
from epp.demo.sim.dialect import Facts
from epp.demo.sim.driver import Driver, Ticket
from epp.demo.sim.engine import Engine
from epp.demo.sim.faults import FaultSwitch
from epp.demo.sim.job import Job
from epp.demo.sim.kv_events import KvEvents
from epp.demo.sim.memory import ModelMemory
from epp.demo.sim.meter import Meter
from epp.demo.sim.options import SimOptions
from epp.demo.sim.page import Page, write_engine, write_meter
from epp.demo.sim.problem import Problem
from epp.demo.sim.tokens import TOKEN_BYTES, answer_length, fingerprint


def wall_clock() -> float:
    """Return the seconds since 1970."""
    return datetime.now(UTC).timestamp()


class Replica:
    """The engine with its driver, its books and its faults."""

    def __init__(self, options: SimOptions) -> None:
        self.options = options
        self.engine = Engine(options.limits, options.cost, options.speed)
        self.meter = Meter()
        self.driver = Driver(self.engine, self.meter, options.time_scale)
        self.switch = FaultSwitch(options.faults)
        self.rng = Random(options.seed)
        self.started_at = wall_clock()
        self.kv_events = KvEvents(options.block_size)
        self.memory = ModelMemory(
            options.served_model_name,
            options.max_loaded_models,
            options.model_load_s,
            self.driver.sleep,
        )
        self._adapters = AdapterHistory(len(options.loras))

    @property
    def model_name(self) -> str:
        """The name that the server itself uses for its model."""
        return self.options.served_model_name[0]

    async def publish(self, address: str) -> None:
        """Publish what becomes of the KV cache, until cancelled."""
        # Not where all is imported: it is an extra.
        from epp.demo.sim.kv_publisher import KvPublisher  # noqa: PLC0415

        options = self.options
        publisher = KvPublisher(
            options.kv_events_endpoint,
            options.kv_events_replay_endpoint,
            f"kv@{address}@{self.model_name}",
            wall_clock,
        )
        self.kv_events = KvEvents(options.block_size, publisher.notify)
        self.engine.stored = self.kv_events.stored
        self.engine.blocks.evicted = self.kv_events.removed
        await publisher.run(self.kv_events)

    async def run(self) -> None:
        """Serve what is submitted, and the background load, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.driver.run())
            group.create_task(self._make_noise())

    async def _make_noise(self) -> None:
        rng = Random(self.options.seed)
        for gap_s, content, max_tokens in arrivals(rng, self.options.background_rps):
            await self.driver.sleep(gap_s)
            # A replica too slow for its background load is full, but must not grow for ever.
            if len(self.engine.waiting) < self.options.max_num_seqs:
                self.submit(Ask(content, max_tokens=max_tokens))

    def submit(self, ask: Ask) -> Ticket | Problem:
        """Queue a request, or say what is wrong with it."""
        adapter = ask.model if ask.model in self.options.loras else ""
        if ask.model and not adapter and ask.model not in self.options.served_model_name:
            return Problem(404, f"there is no model named {ask.model!r} here", param="model")
        room = self.options.context_length - len(ask.content) // TOKEN_BYTES
        if room < (ask.max_tokens or 1):
            return Problem(400, self._too_long(ask, room), param="max_tokens" if room > 0 else None)
        return self.driver.submit(self._job(ask, adapter or "", room))

    def _too_long(self, ask: Ask, room: int) -> str:
        length = self.options.context_length
        return (
            f"the context length is {length} tokens: the prompt has {length - room} and "
            f"the answer may have {ask.max_tokens or 'some'}"
        )

    def _job(self, ask: Ask, adapter: str, room: int) -> Job:
        number = fingerprint(ask.content, self.options.seed)
        return Job(
            bytearray(ask.content),
            number,
            _length(ask) or min(room, answer_length(number)),
            self.driver.now(),
            reason="length" if ask.max_tokens and not ask.script else "stop",
            adapter=adapter,
            cache_salt=ask.cache_salt,
            root=fingerprint(f"{adapter}\n{ask.cache_salt}".encode(), seed=0),
        )

    @property
    def facts(self) -> Facts:
        """What the pages of other engines tell."""
        models = self.options.served_model_name
        return Facts(self.engine, models, self.options.max_num_seqs, self.memory)

    def metrics(self) -> str:
        """Return vLLM's page as of now."""
        page = Page(self.model_name)
        write_engine(page, self.engine)
        write_meter(page, self.meter)
        if self.options.loras:
            self._adapters.see(self.engine.running, self.engine.waiting, wall_clock())
            self._adapters.write(page)
        return page.text()

    def models(self) -> list[dict[str, object]]:
        """Return the entries of the list of models, adapters behind their base."""
        parents = dict.fromkeys(self.options.served_model_name)
        adapters = dict.fromkeys(self.options.loras, self.model_name)
        return [
            {
                "id": name,
                "object": "model",
                "created": int(self.started_at),
                "owned_by": "vllm",
                "root": name,
                "parent": parent,
                "max_model_len": self.options.context_length,
            }
            for name, parent in {**parents, **adapters}.items()
        ]


def _length(ask: Ask) -> int | None:
    """Return how many tokens the answer has, if that was not left to the model."""
    return -(-len(ask.script) // TOKEN_BYTES) if ask.script else ask.max_tokens
