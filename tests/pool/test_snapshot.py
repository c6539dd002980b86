from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.pool.snapshot import Snapshot


def test_a_snapshot_is_as_long_as_the_pool() -> None:
    assert len(Snapshot()) == 0
    assert len(Snapshot((Endpoint("a:1"), Endpoint("b:1")))) == 2
