"""Generate `epp/_pb` from the .proto files beside this file; `--check` only compares.

The generated modules live under `epp._pb`, so that they neither claim the top-level name `envoy`
nor meet another package's; the descriptors keep their official names.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools

PROTOS = Path(__file__).resolve().parent
TARGET = PROTOS.parent / "epp" / "_pb"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"

_IMPORT = re.compile(r"^from envoy\.", re.MULTILINE)


def generate() -> dict[str, str]:
    """Run protoc; give the text of every generated file by its path below `epp/_pb`."""
    with tempfile.TemporaryDirectory() as folder:
        _run_protoc(folder)
        root = Path(folder)
        generated = {
            path.relative_to(root).as_posix(): _IMPORT.sub("from epp._pb.envoy.", path.read_text())
            for path in root.rglob("*.py*")
        }
    return generated | dict.fromkeys(_packages(generated), "")


def drift(wanted: dict[str, str], target: Path) -> list[str]:
    """Name the files that are missing, stale or no longer generated."""
    found = {
        path.relative_to(target).as_posix(): path.read_text()
        for pattern in ("*.py", "*.pyi")
        for path in target.rglob(pattern)
    }
    return sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))


def write(wanted: dict[str, str], target: Path) -> None:
    """Make `target` hold exactly the wanted files."""
    for name in drift(wanted, target):
        path = target / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name])
        else:
            path.unlink()


def main(arguments: list[str]) -> int:
    """Write, or with `--check` exit 1 and name the files that differ."""
    wanted = generate()
    if "--check" not in arguments:
        write(wanted, TARGET)
        return 0
    stale = drift(wanted, TARGET)
    for name in stale:
        print(f"epp/_pb/{name} differs from what protos/ gives: run `make protos`")
    return 1 if stale else 0


def _run_protoc(folder: str) -> None:
    sources = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    options = [f"-I{PROTOS}", f"-I{WELL_KNOWN}", f"--python_out={folder}", f"--pyi_out={folder}"]
    # In a process of its own: protoc's library keeps state and prints its errors by itself.
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options, *sources], check=True)


def _packages(names: dict[str, str]) -> set[str]:
    folders = {parent for name in names for parent in Path(name).parents}
    return {(folder / "__init__.py").as_posix() for folder in folders}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
