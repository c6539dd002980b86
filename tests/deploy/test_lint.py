"""`epp lint` has nothing to say of what belongs together in deploy/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import DEPLOY, installs

SAMPLES = [
    ["http-route.yaml"],
    ["ai-gateway-route.yaml", "token-limits.yaml"],
    ["mixed-backends.yaml"],
]


@pytest.mark.parametrize("names", SAMPLES, ids="+".join)
@pytest.mark.parametrize("install", ["kubernetes", "components"])
def test_a_route_with_the_gateway_and_the_picker(
    names: list[str], install: str, tmp_path: Path
) -> None:
    rendered = tmp_path / "install.yaml"
    rendered.write_text(yaml.safe_dump_all(installs()[install].objects))
    samples = [DEPLOY / "ai-gateway" / name for name in ["gateway.yaml", *names]]

    result = subprocess.run(
        [sys.executable, "-m", "epp", "lint", "--strict", rendered, *samples],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (result.returncode, result.stdout) == (0, "")


def test_all_samples_can_be_applied_side_by_side() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "epp", "lint", "--strict", DEPLOY],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (result.returncode, result.stdout) == (0, "")
