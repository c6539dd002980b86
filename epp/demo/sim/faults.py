"""Ways in which the server can misbehave, switched at any time."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All off by default. Times count from the moment in which the faults were set."""

    error_rate: Share = 0.0  # share of completions that are answered 500
    hang: bool = False  # completions are accepted and never answered
    slow_metrics_s: Seconds = 0.0  # how long /metrics takes
    garbage_metrics: bool = False  # /metrics answers 200 with nonsense
    metrics_off: bool = False  # /metrics answers 404
    refuse_s: Seconds = 0.0  # connections are cut and refused for so long
    exit_after_s: Seconds | None = None  # the server goes away, without a farewell
    exit_after_requests: Count | None = None  # the same, once so many completions were answered


def changed(faults: Faults, patch: bytes) -> Faults | str:
    """Return the faults with the fields of a JSON object replaced, or what is wrong with it."""
    try:
        fields = msgspec.json.decode(patch, type=dict[str, object])
        return msgspec.convert({**msgspec.structs.asdict(faults), **fields}, Faults)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)


class FaultSwitch:
    """The faults in force, and news of them for whoever holds the listening socket."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._answered = 0
        self._news = asyncio.Event()
        if faults.refuse_s:
            self._news.set()

    def set(self, faults: Faults) -> None:
        """Put these in force instead."""
        self.faults = faults
        self._answered = 0
        self._news.set()

    def answered(self) -> None:
        """Count a completion."""
        self._answered += 1
        if self.spent:
            self._news.set()

    @property
    def spent(self) -> bool:
        """Whether the last completion before the exit was answered."""
        last = self.faults.exit_after_requests
        return last is not None and self._answered >= last

    async def news(self) -> bool:
        """Wait until the listener must do something; return False when it must close for good."""
        try:
            async with asyncio.timeout(self.faults.exit_after_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return not self.spent
