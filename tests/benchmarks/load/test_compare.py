"""Two pickers side by side, in small."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import compare

PICKER = (
    f"{sys.executable} -m epp serve --host 127.0.0.1 --insecure --grpc-port {{grpc}} "
    "--grpc-health-port {health} --metrics-port {metrics} --endpoints-file {endpoints}"
)

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="CPU time is read from /proc, which Linux has"
)


@LINUX
@pytest.mark.envoy
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_two_pickers_take_turns_and_every_row_has_the_figures_of_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    compare.main(
        [
            *("--picker", f"one={PICKER}", "--picker", f"two={PICKER}", "--against", "two"),
            *("--rows", "duplex,buffered,idle-8", "--rounds", "2", "--settle", "0.2"),
            *("--seconds", "0.5", "--requests", "40", "--json", str(file)),
        ]
    )
    output = capsys.readouterr()
    rows: list[dict[str, Any]] = json.loads(file.read_text())["rows"]
    assert [(row["row"], row["picker"]) for row in rows] == [
        (row, picker) for row in ("duplex", "buffered", "idle-8") for picker in ("one", "two")
    ]
    for row in rows:
        assert len(row["rounds"]) == 2
        check = _check_idle if row["row"].startswith("idle") else _check_load
        for figures in row["rounds"]:
            check(figures)
        assert bool(row["ratio"]) == (row["picker"] == "one")
    turns = [line.rpartition(" ")[2] for line in output.err.splitlines() if "duplex" in line]
    assert turns == ["one", "two", "two", "one"]
    assert output.out.count("| duplex |") == output.out.count("| idle-8 |") == 2


def _check_load(figures: dict[str, Any]) -> None:
    assert 0 < figures["requests"] <= 40
    assert "failed" not in figures
    assert figures["picker_us"] > 50
    assert figures["envoy_us"] > 50
    assert figures["messages"] >= 6
    assert figures["rss_mib"] > 20
    assert 0 < figures["p50_ms"] <= figures["p90_ms"] <= figures["p99_ms"]


def _check_idle(figures: dict[str, Any]) -> None:
    assert 0 < figures["picker_cores"] < 1
    assert figures["scrapes"] > 0


@LINUX
@pytest.mark.envoy
def test_a_picker_that_answers_nothing_is_not_served_and_not_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    deaf = (
        f"{sys.executable} -c 'import socket, sys, time; "
        's = socket.create_server(("127.0.0.1", int(sys.argv[1]))); '
        "[s.accept()[0].close() for _ in iter(int, 1)]' {grpc} {endpoints}"
    )
    compare.main(
        [
            *("--picker", f"deaf={deaf}", "--rows", "duplex", "--rounds", "2"),
            *("--seconds", "1", "--settle", "0", "--json", str(file)),
        ]
    )
    (row,) = json.loads(file.read_text())["rows"]
    assert row["rounds"] == [{"problem": "status 500"}]
    assert "not served: status 500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--picker", "one"], "write it as"),
        (["--picker", "one=x {grpc} {endpoints}", "--rows", "duplxe"], "no row duplxe"),
        (["--picker", "one=x {grpc} {endpoints}", "--against", "two"], "--against one of them"),
        (["--picker", "a=x {grpc} {endpoints}"] * 2, "names of their own"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        compare.main(arguments)
    assert says in capsys.readouterr().err
