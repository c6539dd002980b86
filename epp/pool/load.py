"""What a model server says about itself."""

from __future__ import annotations

import msgspec


class LoraAdapters(msgspec.Struct, frozen=True):
    """The LoRA adapters of one server: loaded, wanted, and how many fit at once."""

    running: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    max_loaded: int = 0


class Load(msgspec.Struct, frozen=True):
    """One reading of a server's metrics page. None: the page does not have that metric.

    `at` is the monotonic second in which the page arrived. `waiting_is_ours`: the server does not
    tell its queue, and `waiting` counts instead the requests sent from here that have not ended
    and that it does not say it works on.
    """

    at: float
    waiting: int | None = None
    running: int | None = None
    kv_cache_usage: float | None = None  # share of the blocks in use, 0 to 1
    loras: LoraAdapters | None = None
    block_size: int | None = None  # tokens
    blocks: int | None = None
    models: frozenset[str] | None = None  # served, by the names that requests use
    loaded: frozenset[str] | None = None  # the models in memory, of a server that swaps them
    engine: str = ""
    waiting_is_ours: bool = False
    itl_s: float | None = None  # mean time between the tokens since the reading before

    def age(self, now: float) -> float:
        """Seconds since this was read."""
        return max(0.0, now - self.at)
