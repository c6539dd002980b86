from __future__ import annotations

from epp.scheduling.catalogue import entries
from tests.cli.conftest import Run


def test_every_plugin_is_listed_under_its_kind(run: Run) -> None:
    ended = run("plugins")
    assert ended.status == 0
    lines = ended.out.splitlines()
    for entry in entries():
        assert f"{entry.kind}s" in lines
        assert f"  {entry.name}  {entry.summary}" in lines


def test_parameters_have_their_type_and_default(run: Run) -> None:
    ended = run("plugins", "approx-prefix-cache-producer")
    assert "      autoTune: boolean = true" in ended.out.splitlines()
    assert "queue-scorer" not in ended.out


def test_a_name_that_nothing_has_lists_nothing(run: Run) -> None:
    ended = run("plugins", "no-such-plugin")
    assert (ended.status, ended.out) == (0, "")
