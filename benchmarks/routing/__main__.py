"""Which picker makes users wait less: a simulated fleet, a recorded load, and every policy.

    python -m benchmarks.routing compare   --trace FILE --qps 7.61
    python -m benchmarks.routing sweep     --trace FILE --low 2 --high 9
    python -m benchmarks.routing scenarios --trace FILE --qps 7.61

The README says what is simulated, and where the traces come from. Without `--out`, the page goes to
the terminal alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.routing import commands
from benchmarks.routing.policies.catalogue import POLICIES
from benchmarks.routing.scenarios import SCENARIOS
from benchmarks.routing.trace import EXCERPT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.routing",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    chosen = parser.add_subparsers(dest="command", required=True)
    for name in ("compare", "sweep", "scenarios"):
        command = chosen.add_parser(name)
        _common(command)
        if name == "sweep":
            command.add_argument("--low", type=float, default=2.0, help="requests/s")
            command.add_argument("--high", type=float, default=9.0)
        else:
            command.add_argument("--qps", type=float, default=7.61, help="requests/s")
        if name == "scenarios":
            command.add_argument("--only", default=",".join(SCENARIOS), help="names, with commas")
    return parser


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--trace", type=Path, default=EXCERPT, help=".jsonl or .csv")
    command.add_argument("--part", default="0:1", help="of the trace, such as 0:0.4")
    command.add_argument("--policies", default=",".join(POLICIES), help="names, with commas")
    command.add_argument("--seeds", type=int, default=5, help="how many")
    command.add_argument("--pods", type=int, default=8)
    command.add_argument("--scrape", type=float, default=0.05, help="seconds between readings")
    command.add_argument("--jobs", type=int, default=1, help="processes")
    command.add_argument("--out", default="", help="name of the page in results/")


if __name__ == "__main__":
    commands.run(_parser().parse_args())
