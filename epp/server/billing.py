"""What the proxy is told to charge for an answer, while it passes and at its end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from epp.costs.expression import CelError
from epp.costs.facts import Facts
from epp.costs.sheet import CostSheet
from epp.openai.answer import AnswerReader
from epp.routing.labels import Labels

_log = logging.getLogger(__name__)

Metadata = Mapping[str, Mapping[str, str | float]]
_NOTHING: Metadata = {}


class Billing:
    """The costs of one pool. A cost that cannot be computed is said once."""

    def __init__(self, sheet: CostSheet) -> None:
        self.sheet = sheet
        self._said: set[str] = set()

    def __repr__(self) -> str:
        return f"<Billing {[cost.key for cost in self.sheet.costs]}>"

    def open(self, labels: Labels, backend: str) -> Bill:
        """Begin to charge a request."""
        return Bill(self, labels, backend)

    def failed(self, key: str, error: CelError) -> None:
        """Say that a cost could not be computed."""
        if key not in self._said:
            self._said.add(key)
            _log.warning("a cost is not charged", extra={"key": key, "error": str(error)})


class Bill:
    """One request's. Each change of the totals is told, so that a client that leaves is charged."""

    def __init__(self, billing: Billing, labels: Labels, backend: str) -> None:
        self._billing = billing
        self._prompt_tokens = labels.prompt_tokens
        self._facts = Facts(labels.model, backend)
        self._names: dict[str, str | float] = {
            "model_name_override": labels.target_model,
            "backend_name": backend,
        }
        self._told: tuple[object, ...] = ()

    def update(self, reader: AnswerReader, latencies: Mapping[str, float]) -> Metadata:
        """Return what has become of the totals; nothing if they are what was told before."""
        state = (reader.usage, reader.generated, reader.model)
        if state == self._told:
            return _NOTHING
        more: dict[str, str | float] = {**latencies}
        if not self._told or self._told[2] != reader.model:
            more |= {**self._names, "response_model": reader.model or str(self._model)}
        self._told = state
        self._facts.count(
            reader.usage, prompt_tokens=self._prompt_tokens, generated=reader.generated
        )
        return self._billing.sheet.metadata(self._facts, more, self._billing.failed)

    @property
    def _model(self) -> str | float:
        return self._names["model_name_override"]
