"""Looks for bytes that the HTTP/2 core cannot bear.

    python -m tests.fuzz.http2 [--executions 1000000] [--seed 0]

With Atheris (`pip install atheris`, Linux) it follows the code's branches; without, it draws
conversations by lot and spoils them. Either way the first input that breaks the core is shown.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from importlib import import_module
from importlib.util import find_spec

from tests.http2.frames_by_lot import check, conversation, spoiled


def by_lot(executions: int, seed: int) -> None:
    """Check so many spoiled conversations."""
    rng = random.Random(seed)
    for n in range(executions):
        data = spoiled(conversation(rng), rng)
        try:
            check(data)
        except Exception:
            sys.stderr.write(f"execution {n} of seed {seed}: {data!r}\n")
            raise


def by_branches(executions: int, seed: int) -> None:
    """Let Atheris make up bytes; it ends the process itself."""
    import tempfile
    from pathlib import Path

    atheris = import_module("atheris")
    atheris.instrument_all()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as corpus:
        for n in range(300):
            (Path(corpus) / str(n)).write_bytes(conversation(rng))
        flags = [f"-atheris_runs={executions}", f"-seed={seed + 1}", "-max_len=4096"]
        atheris.Setup([sys.argv[0], *flags, corpus], check)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by-lot", action="store_true", help="even where Atheris is installed")
    options = parser.parse_args()
    begun = time.monotonic()
    found = find_spec("atheris") is not None and not options.by_lot
    (by_branches if found else by_lot)(options.executions, options.seed)
    took = time.monotonic() - begun
    print(f"{options.executions} inputs broke nothing, in {took:.0f} s")  # noqa: T201  a command


if __name__ == "__main__":
    main()
