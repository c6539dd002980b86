"""What `cluster.yaml` is refused with."""

from __future__ import annotations

from collections.abc import Sequence

from epp.document.problem import Problem, render


class ClusterError(Exception):
    """Options that cannot be rendered; its text is one `source:line: what is wrong` a line."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(render(source, problems))
        self.source = source
        self.problems = tuple(problems)
