"""What discovery refuses with."""

from __future__ import annotations

from collections.abc import Sequence

from epp.document.problem import Problem, render


class DiscoveryError(Exception):
    """Endpoints that cannot be used as they are written."""


class AddressError(DiscoveryError):
    """An address that is none; the text says what is wrong, and never repeats a password."""


class EndpointsFileError(DiscoveryError):
    """An endpoints file that cannot be used: one `source:line: what is wrong` a line."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(render(source, problems))
        self.source = source
        self.problems = tuple(problems)
