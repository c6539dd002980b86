"""What the command line can do."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence

from benchmarks.routing.case import Case
from benchmarks.routing.estimate import estimate
from benchmarks.routing.measure import Measured
from benchmarks.routing.plot import Panel
from benchmarks.routing.policies.catalogue import POLICIES
from benchmarks.routing.report import Page, cells, facts, panels, titles
from benchmarks.routing.scenarios import SCENARIOS, fleet_of
from benchmarks.routing.sweep import GOODPUT, Search, highest_load
from benchmarks.routing.trace import Trace, load
from benchmarks.routing.workers import Workers


def run(options: argparse.Namespace) -> None:
    """Do what was asked, show it, and write it if it has a name."""
    found = page(options)
    print(found.text())
    if options.out:
        found.write(options.out)


def page(options: argparse.Namespace) -> Page:
    """Do what was asked."""
    _known("policy", options.policies, POLICIES)
    begin, _, end = options.part.partition(":")
    trace = load(options.trace).part(float(begin), float(end))
    return {"compare": _compare, "sweep": _sweep, "scenarios": _scenarios}[options.command](
        options, trace
    )


def _known(what: str, names: str, known: Collection[str]) -> None:
    for name in names.split(","):
        if name not in known:
            raise SystemExit(f"no {what} {name!r}; there are {', '.join(known)}")


def _compare(options: argparse.Namespace, trace: Trace) -> Page:
    names = options.policies.split(",")
    found = _run_all(options, trace, [[_case(options, name, options.qps) for name in names]])
    by_name = dict(zip(names, found[0], strict=True))
    return Page(
        f"{trace.name} at {options.qps:g} requests/s",
        _facts(options, trace),
        ["policy", *titles()],
        [[name, *cells(runs)] for name, runs in by_name.items()],
        by_name,
        panels({"": by_name}),
    )


def _sweep(options: argparse.Namespace, trace: Trace) -> Page:
    names = options.policies.split(",")
    searches = [
        Search(case, options.low, options.high)
        for name in names
        for case in _seeded(options, _case(options, name, options.low))
    ]
    loads = list(Workers(trace, options.jobs).map(highest_load, searches))
    size = options.seeds
    by_name = {name: loads[n * size : (n + 1) * size] for n, name in enumerate(names)}
    estimates = {name: estimate(found) for name, found in by_name.items()}
    return Page(
        f"{trace.name}: highest load with goodput {GOODPUT:g}",
        _facts(options, trace),
        ["policy", "requests/s"],
        [[name, found.text(2)] for name, found in estimates.items()],
        by_name,
        [Panel("requests/s", {"": estimates})],
    )


def _scenarios(options: argparse.Namespace, trace: Trace) -> Page:
    _known("scenario", options.only, SCENARIOS)
    names, chosen = options.policies.split(","), options.only.split(",")
    cases = [
        [SCENARIOS[scenario](_case(options, name, options.qps)) for name in names]
        for scenario in chosen
    ]
    found = _run_all(options, trace, cases)
    runs = {
        scenario: dict(zip(names, row, strict=True))
        for scenario, row in zip(chosen, found, strict=True)
    }
    return Page(
        f"{trace.name} at {options.qps:g} requests/s: what can go wrong",
        {**_facts(options, trace), **{name: SCENARIOS[name].__doc__ or "" for name in chosen}},
        ["scenario", "policy", *titles()],
        [
            [scenario, name, *cells(done)]
            for scenario, by_name in runs.items()
            for name, done in by_name.items()
        ],
        runs,
        panels(runs),
    )


def _run_all(
    options: argparse.Namespace, trace: Trace, table: Sequence[Sequence[Case]]
) -> list[list[list[Measured]]]:
    """Run every case of a table with every seed."""
    cases = [case for row in table for one in row for case in _seeded(options, one)]
    done = Workers(trace, options.jobs).map(Case.run, cases)
    return [[[next(done) for _ in range(options.seeds)] for _ in row] for row in table]


def _case(options: argparse.Namespace, policy: str, qps: float) -> Case:
    return Case(policy, qps, fleet=fleet_of(options.pods, options.scrape))


def _seeded(options: argparse.Namespace, case: Case) -> list[Case]:
    return [case.with_seed(seed) for seed in range(options.seeds)]


def _facts(options: argparse.Namespace, trace: Trace) -> dict[str, str]:
    found = facts(
        f"{trace.name}, part {options.part}, {len(trace.requests)} requests",
        range(options.seeds),
        {"fleet": f"{options.pods} pods, metrics every {options.scrape * 1000:g} ms"},
    )
    # Where somebody keeps the file is nobody else's business.
    found["command"] = found["command"].replace(str(options.trace), options.trace.name)
    return found
