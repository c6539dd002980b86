"""`epp plugins`: what can be configured, told by the code itself."""

from __future__ import annotations

from typing import Annotated

import typer

from epp.config import plugins as configurable
from epp.scheduling.catalogue import Entry, entries


def plugins(
    name: Annotated[str, typer.Argument(help="Only plugins whose name contains this.")] = "",
) -> None:
    """List the plugins that a configuration can name, with parameters and defaults."""
    configurable.register_all()
    kind = ""
    for entry in entries():
        if name not in entry.name:
            continue
        if entry.kind != kind:
            kind = entry.kind
            typer.secho(f"\n{kind}s", bold=True)
        _print(entry)


def _print(entry: Entry) -> None:
    typer.echo(f"  {typer.style(entry.name, fg='cyan')}  {entry.summary}")
    for parameter in entry.parameters:
        default = f" = {parameter.default}" if parameter.default else " (must be given)"
        typer.echo(f"      {parameter.name}: {parameter.type}{default}")
