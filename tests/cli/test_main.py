from __future__ import annotations

import epp
from tests.cli.conftest import Run, process

COMMANDS = ["demo", "run", "serve", "validate", "plugins", "sim"]


def test_the_help_names_every_command_and_says_what_it_is_for(run: Run) -> None:
    for ended in (run("--help"), run("-h")):
        assert ended.status == 0
        assert "Endpoint picker for Envoy" in ended.out
        assert all(f" {command} " in ended.out for command in COMMANDS)


def test_every_command_explains_itself(run: Run) -> None:
    for command in COMMANDS:
        ended = run(command, "--help")
        assert ended.status == 0
        assert f"epp {command}" in ended.out


def test_without_a_command_there_is_help(run: Run) -> None:
    ended = run()
    assert ended.status == 2
    assert "serve" in ended.out + ended.err


def test_a_command_that_is_none_is_told_so(run: Run) -> None:
    ended = run("surf")
    assert ended.status == 2
    assert "surf" in ended.err


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("--version").out == f"{epp.__version__}\n"


def test_a_mistake_is_one_line_and_no_traceback() -> None:
    with process("serve", "--endpoint", "no-port") as started:
        out, _ = started.communicate(timeout=30)
    assert started.returncode == 2
    assert out.startswith("epp: ")
    assert out.count("\n") == 1
    assert "Traceback" not in out
