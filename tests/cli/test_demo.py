from __future__ import annotations

from tests.cli.conftest import Run


def test_a_mode_that_does_not_exist_is_a_mistake(run: Run) -> None:
    ended = run("demo", "--mode", "both")
    assert ended.status == 2
    assert "--mode" in ended.err
