"""Write the bootstraps beside this file; `--check` only compares.

They differ in how bodies reach the picker, and are all for an Envoy that has the picker on its own
loopback: in one pod, one network namespace or one machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import yaml

from epp.config.settings import Settings
from epp.demo.bootstrap import BootstrapOptions, Mode, laptop, render

FOLDER = Path(__file__).resolve().parent
PICKER = Settings()

# name: (mode, the picker may change the mode, what it is)
BOOTSTRAPS: dict[str, tuple[Mode, bool, str]] = {
    "duplex": ("duplex", False, "Bodies pass through the picker in full-duplex mode."),
    "buffered": (
        "buffered",
        False,
        "Bodies are buffered both ways: a streamed answer arrives at its end.",
    ),
    "override": (
        "buffered",
        True,
        "Request bodies are buffered; answers are streamed, because the picker asks for it.",
    ),
}
HEADER = """\
# {what}
# Made by render.py: change that, and run `make bootstraps`. Reasons are in ../envoy.yaml.
"""


def options(mode: Mode, override: bool) -> BootstrapOptions:
    """A picker with its own defaults beside this Envoy, for clients from anywhere."""
    local = laptop(
        listen_host="0.0.0.0",
        listen_port=8080,
        admin_port=9901,
        picker_port=PICKER.grpc_port,
        mode=mode,
    )
    return msgspec.structs.replace(
        local,
        allow_mode_override=override,
        picker_tls=not PICKER.insecure,
        buffer_limit_bytes=PICKER.max_body_bytes,
        message_timeout_s=90,  # longer than requests wait in the picker
        access_log="/dev/stdout",
        shared_port=True,
    )


def rendered() -> dict[str, str]:
    """The text of each file by its name."""
    return {
        f"{name}.yaml": HEADER.format(what=what) + _yaml(options(mode, override))
        for name, (mode, override, what) in BOOTSTRAPS.items()
    }


def stale(folder: Path = FOLDER) -> list[str]:
    """The names of files that are not what would be written."""
    texts = rendered()
    return [name for name, text in texts.items() if _read(folder / name) != text]


def main(arguments: list[str]) -> None:
    """Write, or with `--check` fail when something differs."""
    if "--check" not in arguments:
        for name, text in rendered().items():
            (FOLDER / name).write_text(text)
    elif names := stale():
        raise SystemExit(f"not what the builder makes, run `make bootstraps`: {', '.join(names)}")


def _yaml(wanted: BootstrapOptions) -> str:
    return yaml.safe_dump(msgspec.json.decode(render(wanted)), sort_keys=False, width=1000)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    main(sys.argv[1:])
