"""`epp render`: a cluster template's options to Kubernetes manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from epp.cli.running import fail
from epp.manifests.render.files import render as render_files
from epp.manifests.render.load import load_file


def render(
    cluster_file: Annotated[
        Path,
        typer.Argument(
            metavar="CLUSTER_YAML", help="A file with ai_gateway_self_hosted_models in it."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Write files here; without it, to the terminal."
        ),
    ] = None,
) -> None:
    """Render pool, route, picker and limits for each self-hosted model of a cluster template."""
    loaded = load_file(cluster_file)
    for name in loaded.ignored:
        typer.echo(f"note: {name} is for others, and ignored", err=True)
    files = render_files(loaded.options)
    if not files:
        typer.echo("nothing rendered: ai_gateway_inference_pool_enabled is not true", err=True)
    elif output is None:
        typer.echo("---\n".join(files.values()), nl=False)
    else:
        _write(output, files)


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
            typer.echo(folder / name)
    except OSError as error:
        fail(f"{error.filename}: cannot be written: {error.strerror}")
