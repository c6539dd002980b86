"""`epp lint`: will the gateway do what these manifests say?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from epp.cli.running import fail
from epp.document.problem import did_you_mean
from epp.manifests.lint.check import check, in_order
from epp.manifests.lint.files import read_files
from epp.manifests.lint.objects import Contents, objects_in
from epp.manifests.lint.report import as_json, as_lines, summary
from epp.manifests.lint.table import RULES

_STDIN = Path("-")


def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Manifests that are applied together: YAML files, folders of them, or - for "
            "standard input. Helm charts and kustomizations are to be rendered before.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave out a rule. Can be repeated.")
    ] = None,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="text: one finding a line.")
    ] = "text",
    rules: Annotated[bool, typer.Option("--rules", help="List the rules and end.")] = False,
) -> None:
    """Check routes, pools and pickers for Envoy AI Gateway before they are applied.

    The status is 1 if there is an error, 0 if there is none.
    """
    if rules:
        _print_rules()
        return
    if not files:
        fail("nothing to check: name files or folders, or - for standard input")
    _refuse_unknown(ignore or [])
    contents = _read(files)
    found = check(contents.objects, ignore=ignore or ())
    findings = in_order([*contents.unreadable, *found])
    typer.echo(as_json(findings) if form == "json" else as_lines(findings), nl=False)
    typer.echo(summary(findings, len(contents.objects)), err=True)
    if any(strict or finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def _read(files: list[Path]) -> Contents:
    on_disk = read_files([file for file in files if file != _STDIN])
    if _STDIN not in files:
        return on_disk
    piped = objects_in("-", sys.stdin.buffer.read())
    return Contents(on_disk.objects + piped.objects, on_disk.unreadable + piped.unreadable)


def _refuse_unknown(names: list[str]) -> None:
    known = [rule.id for rule in RULES]
    for name in names:
        if name not in known:
            fail(f'--ignore: no rule is called "{name}"{did_you_mean(name, known)}')


def _print_rules() -> None:
    for rule in RULES:
        typer.echo(f"{typer.style(rule.id, bold=True)}  {rule.severity}\n    {rule.summary}")
