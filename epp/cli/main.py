"""The command line: one module a command."""

from __future__ import annotations

from typing import Annotated

import typer

import epp
from epp.cli import demo, lint, plugins, render, run, serve, sim, validate
from epp.cli.running import EXPECTED, fail

app = typer.Typer(
    name="epp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Endpoint picker for Envoy: sends each OpenAI-style request to the replica that will "
    "answer it soonest.",
)
app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("serve")(serve.serve)
app.command("validate")(validate.validate)
app.command("plugins")(plugins.plugins)
app.command("render")(render.render)
app.command("lint")(lint.lint)
app.command("sim")(sim.sim)


def main() -> None:
    """Run a command; an error that the user can mend is one line and exit status 2."""
    try:
        app()
    except EXPECTED as error:
        fail(str(error))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(epp.__version__)
        raise typer.Exit


@app.callback()
def _epp(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None: ...
