from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.load.replay import main


@pytest.mark.envoy
def test_each_preset_gets_the_same_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    main(["--seconds=2", "--qps=3", "--replicas=2", f"--json={file}"])
    runs = json.loads(file.read_text())["runs"]
    assert [run["preset"] for run in runs] == ["classic", "marginal-cost"]
    assert len({run["measured"]["outcome"]["requests"] for run in runs}) == 1
    for run in runs:
        assert run["measured"]["outcome"]["failed"] == 0
        assert run["measured"]["lateness"]["steps"] > 0
        assert set(run["measured"]["cpu_s"]) == {"servers", "picker", "Envoy", "clients"}
    shown = capsys.readouterr().out
    assert shown.count("| measured |") == shown.count("| simulated |") == 2
