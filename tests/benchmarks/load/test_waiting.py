from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load.waiting import patience
from epp.demo.overload import UNGATED


@pytest.mark.envoy
async def test_who_waits_may_leave_and_is_answered_when_the_picker_ends(tmp_path: Path) -> None:
    config = tmp_path / "picker.yaml"
    config.write_text(UNGATED + "flowControl: {}\n")
    flags = [f"--config-file={config}"]
    seen = await patience(flags, mode="duplex", transport="native", waiting=20, leavers=2)
    assert len(seen.left_after_ms) == 2
    assert seen.waiting >= 20
    assert seen.answered == seen.asked > seen.waiting
