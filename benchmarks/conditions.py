"""What every figure must come with: where, what, how often, and how far apart."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]


def conditions(module: str, *packages: str) -> dict[str, str]:
    """Return the machine, the versions, the commit and the command."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": f"{platform.python_version()}, {versions}"
        if packages
        else platform.python_version(),
        "commit": _commit(),
        "command": f"python -m {module} {' '.join(sys.argv[1:])}".strip(),
    }


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return the median and, in brackets, the lowest and highest."""
    median, low, high = statistics.median(values), min(values), max(values)
    return f"{median:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    commit = _output([*git, "rev-parse", "--short", "HEAD"])
    changed = _output([*git, "status", "--porcelain", "--untracked-files=no"])
    return f"{commit or 'none'}{' with changes' if changed else ''}"


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
