"""The configurations that come with the picker."""

from __future__ import annotations

from importlib import resources

CLASSIC = "classic"
MARGINAL_COST = "marginal-cost"
PRESETS = (CLASSIC, MARGINAL_COST)

DEFAULT_PRESET = MARGINAL_COST  # what a picker does that was told nothing


def preset_text(name: str) -> str:
    """Return the file of a preset, which is one of `PRESETS`."""
    return resources.files("epp.config").joinpath(f"preset_files/{name}.yaml").read_text("utf-8")
