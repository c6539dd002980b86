"""`epp validate`: is a configuration right, and what does it mean?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    types = {spec.name: spec.type for spec in config.plugins}
    typer.echo(f"{config_file or f'preset {name}'} is good.")
    for profile in config.scheduling_profiles:
        typer.echo(f"profile {profile.name}:")
        for reference in profile.plugins:
            weight = f"  weight {reference.weight:g}" if reference.weight is not None else ""
            name = reference.plugin_ref
            of_type = f" ({types[name]})" if types.get(name, name) != name else ""
            typer.echo(f"  {name}{of_type}{weight}")
    typer.echo(f"parsers: {', '.join(sorted(built.parsers))}")
    typer.echo(f"validate: {config.validate}")
    for name, entry in built.models.entries.items():
        served = entry.served.weights if entry.served else {name: 1}
        shares = ", ".join(f"{model} ({weight})" for model, weight in served.items())
        labels = "".join(f"  {key}={value}" for key, value in entry.labels.items())
        typer.echo(f"model {name}: served by {shares}{labels}")
    for cost in config.llm_request_costs:
        typer.echo(f"cost {cost.metadata_key}: {cost.cel or cost.type}")
    for warning in built.warnings:
        typer.secho(f"warning: {warning}", fg="yellow")
