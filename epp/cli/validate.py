"""`epp validate`: is a configuration right, and what does it mean?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from epp.cli.meaning import meaning
from epp.cli.options import Preset
from epp.config.build import build
from epp.config.load import load_file, load_preset
from epp.config.presets import DEFAULT_PRESET
from epp.config.settings import SettingsError


def validate(
    config_file: Annotated[
        Path | None, typer.Argument(help="An EndpointPickerConfig; without one: the preset.")
    ] = None,
    preset: Preset = "",
) -> None:
    """Check a configuration file and say what it does; each mistake is named by its line."""
    if config_file is not None and preset:
        raise SettingsError("give either a file or --preset, not both")
    name = preset or DEFAULT_PRESET
    config = load_file(config_file) if config_file is not None else load_preset(name)
    built = build(config, seed=0)
    typer.echo(f"{config_file or f'preset {name}'} is good.")
    for line in meaning(config, built):
        typer.echo(line)
    for warning in built.warnings:
        typer.secho(f"warning: {warning}", fg="yellow")
