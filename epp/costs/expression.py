"""A cost as an expression of the Common Expression Language."""

from __future__ import annotations

import math
from typing import Any

from epp.costs.facts import Facts

_TEXTS = ("model", "backend", "route_name")
_COUNTS = tuple(name for name in Facts.__struct_fields__ if name not in _TEXTS)
# What the counts can be taken for, AI Gateway's reading first: `a * 2u`, `a * 2`, `a * 0.1`.
_READINGS = ("UINT", "INT", "DOUBLE")
_NUMBERS = frozenset(_READINGS)


class CelError(Exception):
    """An expression that cannot be used, or that came to nothing that can be charged."""


class Expression:
    """Comes to a number of at least 0 for the facts of a request."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._program, self._counts_are = _compile(text)
        # What is not in the text cannot be asked for, and need not be handed over.
        self._texts = [name for name in _TEXTS if name in text]
        self._counts = [name for name in _COUNTS if name in text]

    def __repr__(self) -> str:
        return f"<Expression {self.text}>"

    def of(self, facts: Facts) -> float:
        """Return the cost; CelError if there is none, such as after a division by zero."""
        variables: dict[str, Any] = {name: getattr(facts, name) for name in self._texts}
        for name in self._counts:
            variables[name] = self._counts_are(getattr(facts, name))
        result = self._program.eval(data=variables)
        number = result.value()
        if not isinstance(number, (int, float)):
            raise CelError(str(number))
        if not math.isfinite(number) or number < 0:
            raise CelError(f"{number} is no number of at least 0")
        return number


def _compile(text: str) -> tuple[Any, type[int | float]]:
    # 14 MiB of code that most pickers have no use for
    from cel_expr_python import cel  # noqa: PLC0415

    problem = ""
    for reading in _READINGS:
        types = dict.fromkeys(_TEXTS, cel.Type.STRING)
        types |= dict.fromkeys(_COUNTS, getattr(cel.Type, reading))
        try:
            program = cel.NewEnv(variables=types).compile(text)
        except (RuntimeError, ValueError, TypeError) as error:
            problem = problem or _first_line(str(error))
            continue
        name = program.return_type().name()
        if name in _NUMBERS:
            return program, float if reading == "DOUBLE" else int
        problem = f"it comes to {name.lower()}, not to a number"
    raise CelError(problem)


def _first_line(error: str) -> str:
    line = error.partition("\n")[0].removesuffix(" [INVALID_ARGUMENT]")
    return line.removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:")
