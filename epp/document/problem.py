"""What is wrong with a file that a person wrote, said so that they can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, and the line (from 1) where it is."""

    line: int
    text: str


def render(source: str, problems: Iterable[Problem]) -> str:
    """Return one `source:line: text` a line, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    return "\n".join(f"{source}:{problem.line}: {_printable(problem.text)}" for problem in ordered)


def _printable(text: str) -> str:
    # Texts quote the file, and a quote must neither begin a line nor command the terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown `name`; empty if nothing comes near."""
    near: Sequence[str] = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
