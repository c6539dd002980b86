"""What the precise prefix cache costs: events that come in, memory, and look-ups.

    python -m benchmarks.micro.kv_events [--rounds 7] [--json]

64 servers of which each holds another share of one prompt. "Cold" is a prompt whose first block
nobody has. CPU time, not wall time.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.conditions import conditions, spread
from epp.pool.endpoint import Endpoint
from epp.scheduling.kv.events import decode
from epp.scheduling.kv.feeds import Feeds
from epp.scheduling.tokens import Tokens, pack

_SERVERS, _VOCABULARY, _STEP = 64, 128_000, 8192


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rng = random.Random(1)
    rows: dict[str, list[float]] = {}
    rows["bytes of memory for a block"] = [memory(rng)]  # while nothing has been freed yet
    for _ in range(arguments.rounds):
        for size, length in ((16, 12_000), (16, 100_000), (64, 12_000), (64, 100_000)):
            for name, took_us in look_up(rng, size, length).items():
                rows.setdefault(f"{name}, {length} tokens, blocks of {size}: us", []).append(
                    took_us
                )
        _, took_s = take_in(rng)
        rows.setdefault(f"event of {_STEP} tokens: ms", []).append(took_s * 1e3)
    shown = conditions("benchmarks.micro.kv_events", "msgspec", "xxhash")
    if arguments.json:
        print(json.dumps({**shown, "rows": rows}))
        return
    print("\n".join(f"{name}: {value}" for name, value in shown.items()))
    print("\n".join(f"{name} {spread(values, 2)}" for name, values in rows.items()))


def look_up(rng: random.Random, size: int, length: int) -> dict[str, float]:
    feeds = Feeds(10**9)
    pool = [Endpoint(f"10.0.{n}.1:8000") for n in range(_SERVERS)]
    ids = [rng.randrange(_VOCABULARY) for _ in range(length)]
    for number, endpoint in enumerate(pool):
        blocks = max(1, length // size * (number + 1) // _SERVERS)
        tell(feeds, endpoint.address, 0, told(list(range(blocks)), ids[: blocks * size], size))
    warm, cold = Tokens(pack(ids)), Tokens(pack([ids[0] + 1, *ids[1:]]))
    feeds.known(warm, "m", "", pool)
    return {
        "warm": cpu_us(lambda: feeds.known(warm, "m", "", pool)),
        "cold": cpu_us(lambda: feeds.known(cold, "m", "", pool)),
    }


def memory(rng: random.Random) -> float:
    before = resident_bytes()
    feeds, _ = take_in(rng)
    gc.collect()
    return (resident_bytes() - before) / len(feeds.index)


def take_in(rng: random.Random, servers: int = 8, steps: int = 50) -> tuple[Feeds, float]:
    """Return the feeds, and the seconds that an event took."""
    feeds, took_s = Feeds(10**9), 0.0
    for server in range(servers):
        for step in range(steps):
            hashes = [rng.getrandbits(64) for _ in range(_STEP // 16)]
            ids = [rng.randrange(_VOCABULARY) for _ in range(_STEP)]
            took_s += tell(feeds, f"10.0.{server}.1:8000", step, told(hashes, ids, 16))
    return feeds, took_s / (servers * steps)


def told(hashes: list[int], ids: list[int], size: int) -> bytes:
    event = {
        "type": "BlockStored",
        "block_hashes": hashes,
        "parent_block_hash": None,
        "token_ids": ids,
        "block_size": size,
        "medium": "GPU",
        "extra_keys": [None] * len(hashes),
    }
    return msgspec.msgpack.encode([1.0, [event], 0])


def tell(feeds: Feeds, address: str, number: int, payload: bytes) -> float:
    start = time.process_time()
    batch = decode(payload)
    assert batch is not None
    feeds.of(address).take(number, batch)
    return time.process_time() - start


def cpu_us(work: Callable[[], object], times: int = 50) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times * 1e6


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main()
