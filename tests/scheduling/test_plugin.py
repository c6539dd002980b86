from __future__ import annotations

from epp.scheduling import catalogue
from epp.scheduling.plugin import Seeded
from epp.scheduling.registry import producers

catalogue.load_builtin()


def test_the_producers_that_hash_prompts_take_a_seed() -> None:
    made = {name: producers.make(name, {}) for name in producers.names()}
    seeded = [name for name, producer in made.items() if isinstance(producer, Seeded)]
    assert seeded == ["approx-prefix-cache-producer", "precise-prefix-cache-producer"]
