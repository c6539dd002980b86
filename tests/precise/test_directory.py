from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.snapshot import Snapshot
from epp.precise.directory import Directory
from epp.scheduling.kv.topic import Topic

A = Endpoint("10.0.0.1:8000", name="pod-a-rank-0", rank=0)
B = Endpoint("10.0.0.1:8001", name="pod-a-rank-1", rank=1)
C = Endpoint("[fd00::1]:8000", name="prod/pod-c")


@pytest.mark.parametrize(
    ("pod", "rank", "found"),
    [
        ("10.0.0.1:8000", 0, A),
        ("10.0.0.1:8001", 0, B),
        ("10.0.0.1", 0, A),
        ("10.0.0.1", 1, B),
        ("10.0.0.1", 2, None),
        ("pod-a", 1, B),
        ("pod-a-rank-1", 0, B),
        ("[fd00::1]:8000", 0, C),
        ("fd00::1", 0, C),
        ("[fd00::1]", 0, C),
        ("prod/pod-c", 0, C),
        ("pod-c", 0, C),
        ("10.0.0.9", 0, None),
        ("", 0, None),
    ],
)
def test_a_pod_is_known_by_address_and_name(pod: str, rank: int, found: Endpoint | None) -> None:
    assert Directory(lambda: Snapshot((A, B, C))).find(Topic(pod), rank) is found


def test_the_pool_of_the_moment_counts() -> None:
    now = [Snapshot((A,))]
    directory = Directory(lambda: now[0])
    assert directory.find(Topic("10.0.0.1"), 0) is A
    now[0] = Snapshot((C,))
    assert directory.find(Topic("10.0.0.1"), 0) is None
