from __future__ import annotations

import pytest
from msgspec import structs

from benchmarks.load.generator import Result
from benchmarks.load.soak import Options, Reading, Soaked, soak, table

SOAKED = Soaked(
    capacity=1000.0,
    result=Result(answered=900, failed=0, seconds=1800.0, aborted=100),
    connections=9000,
    cpu_us=400.0,
    files_before=30,
    files_after=30,
    held={},
    readings=[Reading(n * 60.0, 70.0 + n / 60, 31) for n in range(1, 31)],
)


@pytest.mark.envoy
async def test_a_short_soak_leaves_nothing_behind() -> None:
    found = await soak(Options(minutes=0.05, reconnects=20))
    assert found.result.failed == 0
    assert found.result.answered > 0
    assert found.result.aborted > 0
    assert found.connections > 5
    assert found.held == {}
    assert found.files_after <= found.files_before
    assert "| held at the end | nothing |" in table(found)


def test_a_good_soak_misses_no_goal() -> None:
    assert SOAKED.mib_per_hour == pytest.approx(1.0)
    assert SOAKED.missed == []


def test_what_grows_is_left_over_or_fails_is_said() -> None:
    bad = structs.replace(
        SOAKED,
        result=Result(answered=0, failed=2, seconds=1.0, problem="status 500"),
        files_after=32,
        held={"streams": 1.0},
        readings=[Reading(n * 60.0, 70.0 + n, 31) for n in range(1, 31)],
    )
    assert bad.missed == [
        "memory grows by 60.0 MiB an hour",
        '{"streams": 1.0} is held',
        "32 files are open, 30 were",
        "2 requests failed: status 500",
    ]


def test_the_first_fifth_of_the_time_does_not_count_for_memory() -> None:
    warm_up = [Reading(n * 60.0, 10.0 * n, 31) for n in range(1, 6)]
    steady = [Reading(n * 60.0, 60.0, 31) for n in range(6, 31)]
    assert structs.replace(SOAKED, readings=[*warm_up, *steady]).mib_per_hour == pytest.approx(0.0)
