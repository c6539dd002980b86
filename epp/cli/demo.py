"""`epp demo`: the whole of it on one machine."""

from __future__ import annotations

import typer


def demo() -> None:
    """Simulated replicas, Envoy, the picker, and traffic to watch."""
    typer.echo("")
