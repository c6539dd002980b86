from __future__ import annotations

import pytest

from benchmarks.load.attack import ATTACKS
from benchmarks.load.attacked import MOST_GROWTH_MIB, attacked, table

KNOWN = [attack.name for attack in ATTACKS]


async def test_an_attacker_comes_again_and_an_honest_peer_is_served() -> None:
    found = await attacked(["ping", "zero-window"], seconds=0.5, rounds=1)
    ping, zero_window = found
    assert ping.connections[0] > 2  # it was cut each time
    assert zero_window.connections == [1]
    assert all(0 < one.p50_ms[0] <= one.p99_ms[0] for one in found)
    assert all(one.growth_mib[0] < MOST_GROWTH_MIB for one in found)
    assert "| ping |" in table(found)


def test_every_attack_has_a_name_of_its_own() -> None:
    assert len(set(KNOWN)) == len(ATTACKS)


@pytest.mark.parametrize("name", ["hpack-bomb", "huge-headers", "continuation"])
async def test_one_that_is_cut_stalls_nobody(name: str) -> None:
    [found] = await attacked([name], seconds=1.0, rounds=1)
    assert found.connections[0] > 2
    assert found.p99_ms[0] < 100  # of a machine that others use too; a bomb read whole takes s
