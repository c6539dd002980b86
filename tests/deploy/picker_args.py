"""The picker's command line, as manifests have it, read by the program itself."""

from __future__ import annotations

from typing import Any

import typer.main

from epp.cli.main import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def parsed(args: list[str]) -> dict[str, Any]:
    """The values of all options; a flag that is unknown, or whose value is wrong, raises."""
    name, *flags = args
    values: dict[str, Any] = COMMANDS[name].make_context(name, flags).params
    return values
