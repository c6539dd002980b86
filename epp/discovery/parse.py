"""From the text of an endpoints file to targets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from epp.discovery.address import Address, parse_address
from epp.discovery.entry import ENGINE_LABELS, EndpointsFile, Entry
from epp.discovery.error import AddressError, EndpointsFileError
from epp.discovery.host import join, parse_host, parse_port
from epp.discovery.target import MetricsPlace, Target
from epp.document.fit import fit
from epp.document.node import Node
from epp.document.problem import Problem, did_you_mean
from epp.document.read import read
from epp.pool.engine_names import AUTO, ENGINE_NAMES

T = TypeVar("T")


def parse_targets(
    content: bytes, source: str, engines: Collection[str] = ENGINE_NAMES
) -> tuple[Target, ...]:
    """Return the servers in the file; EndpointsFileError names every mistake by its line."""
    root = read(content)
    if isinstance(root, Problem):
        raise EndpointsFileError(source, [root])
    problems: list[Problem] = []
    file = fit(root, EndpointsFile, "", problems)
    targets = [] if file is None else _Reading(root, problems, engines).targets(file)
    if problems:
        raise EndpointsFileError(source, problems)
    return tuple(targets)


class _Reading:
    def __init__(self, root: Node, problems: list[Problem], engines: Collection[str]) -> None:
        self._root = root
        self._engines = engines
        self._problems = problems
        self._lines: dict[str, int] = {}  # of the names and addresses so far

    def targets(self, file: EndpointsFile) -> list[Target]:
        return [t for i, entry in enumerate(file.endpoints) for t in self._targets(entry, i)]

    def _targets(self, entry: Entry, i: int) -> list[Target]:
        if entry.name:
            self._once(f'the name "{entry.name}"', f"{entry.namespace}/{entry.name}", i, "name")
        host = self._attempt(parse_host, entry.address, i, "address")
        engine = self._engine(entry, i)
        metrics = self._metrics(entry, i)
        ports = self._ports(entry, i)
        if host is None or engine is None or metrics is None:
            return []
        names = _names(entry, len(ports))
        for port in ports:
            self._once(f"the address {join(host, port)}", join(host, port), i, "address")
        return [
            Target(Address(host, port), metrics, name, engine, entry.labels, rank)
            for rank, (port, name) in enumerate(zip(ports, names, strict=True))
        ]

    def _ports(self, entry: Entry, i: int) -> list[int]:
        if (entry.port == "") == (not entry.ports):
            text = "port and ports are both here" if entry.ports else '"port" is missing'
            self._say(f"endpoints[{i}]: {text}", i)
            return []
        if not entry.ports:
            written = [self._attempt(parse_port, str(entry.port), i, "port")]
        else:
            written = [
                self._attempt(parse_port, str(port), i, "ports", j)
                for j, port in enumerate(entry.ports)
            ]
        return [port for port in written if port is not None]

    def _engine(self, entry: Entry, i: int) -> str | None:
        if entry.engine:
            return self._known_engine(entry.engine, i, "engine")
        labelled = next((label for label in ENGINE_LABELS if label in entry.labels), None)
        if labelled is None:
            return AUTO
        return self._known_engine(entry.labels[labelled], i, "labels", labelled)

    def _known_engine(self, engine: str, i: int, *path: str) -> str | None:
        if engine in self._engines:
            return engine
        hint = did_you_mean(engine, self._engines)
        one_of = ", ".join(self._engines)
        self._say(f'there is no engine "{engine}"{hint or f", only {one_of}"}', i, *path)
        return None

    def _metrics(self, entry: Entry, i: int) -> MetricsPlace | None:
        if entry.metrics_host and entry.metrics is not None:
            self._say(f"endpoints[{i}]: metricsHost and metrics are both here", i, "metricsHost")
            return None
        if entry.metrics_host:
            found = self._attempt(parse_address, entry.metrics_host, i, "metricsHost")
            return MetricsPlace(found.scheme, found.host, found.port) if found else None
        return self._metrics_entry(entry, i)

    def _metrics_entry(self, entry: Entry, i: int) -> MetricsPlace | None:
        written = entry.metrics
        if written is None:
            return MetricsPlace()
        host: str | None = ""
        port: int | None = 0
        if written.address:
            host = self._attempt(parse_host, written.address, i, "metrics", "address")
        if written.port != "":
            port = self._attempt(parse_port, str(written.port), i, "metrics", "port")
        if not _is_path(written.path):
            self._say(f'"{written.path}" is not a path like /metrics', i, "metrics", "path")
            return None
        if len(entry.ports) > 1 and written.port != "":
            text = "several ports cannot share one of metrics; give each an entry of its own"
            self._say(text, i, "metrics", "port")
            return None
        return (
            None
            if host is None or port is None
            else MetricsPlace(written.scheme, host, port, written.path)
        )

    def _attempt(self, parse: Callable[[str], T], text: str, i: int, *path: str | int) -> T | None:
        try:
            return parse(text)
        except AddressError as error:
            self._say(str(error), i, *path)
            return None

    def _once(self, what: str, key: str, i: int, *path: str | int) -> None:
        line = self._root.at("endpoints", i, *path).line
        if key in self._lines:
            text = f"{what} is here twice (first on line {self._lines[key]})"
            self._problems.append(Problem(line, text))
        self._lines.setdefault(key, line)

    def _say(self, text: str, i: int, *path: str | int) -> None:
        self._problems.append(Problem(self._root.at("endpoints", i, *path).line, text))


def _names(entry: Entry, count: int) -> list[str]:
    name = entry.name
    if name and entry.namespace != "default":
        name = f"{entry.namespace}/{name}"
    if not name or not entry.ports:
        return [name] * count
    return [f"{name}-rank-{rank}" for rank in range(count)]


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isprintable() and " " not in text and text.isascii()
