from __future__ import annotations

import json
from typing import Any

import pytest

from epp.costs.expression import Expression
from epp.costs.sheet import NAMESPACE, Cost, CostSheet
from epp.openai.answer import AnswerReader
from epp.routing.labels import Labels
from epp.server.billing import Bill, Billing

LABELS = Labels("alias", "llama", operation="chat", prompt_tokens=4)
SHEET = CostSheet([Cost("in", "InputToken"), Cost("out", "OutputToken")])


def opened(sheet: CostSheet = SHEET) -> tuple[Bill, AnswerReader]:
    return Billing(sheet).open(LABELS, "10.0.0.1:8000"), AnswerReader("text/event-stream")


def event(**fields: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps(fields).encode()


def token(text: str) -> bytes:
    return event(model="llama", choices=[{"delta": {"content": text}}])


def test_the_running_totals_are_told_whenever_they_change() -> None:
    bill, reader = opened()
    told = [bill.update(reader, {})]
    usage = {"prompt_tokens": 7, "completion_tokens": 2}
    for data in (token(""), token("a"), b": ping\n\n", token("b"), event(choices=[], usage=usage)):
        reader.feed(data)
        told.append(bill.update(reader, {}))
    numbers = [
        (values["in"], values["out"]) if (values := t.get(NAMESPACE)) else None for t in told
    ]
    assert numbers == [(4, 0), (4, 0), (4, 1), None, (4, 2), (7, 2)]


def test_the_names_are_told_at_first_and_when_the_answer_gives_its_own() -> None:
    bill, reader = opened()
    names = {"model_name_override": "llama", "backend_name": "10.0.0.1:8000"}
    first = bill.update(reader, {})[NAMESPACE]
    assert {k: first[k] for k in first if k not in {"in", "out"}} == {
        **names,
        "response_model": "llama",
    }
    reader.feed(event(model="llama-7b", choices=[]))
    assert bill.update(reader, {})[NAMESPACE]["response_model"] == "llama-7b"
    reader.feed(token("a"))
    told = bill.update(reader, {"token_latency_ttft": 12.5})[NAMESPACE]
    assert told == {"in": 4, "out": 1, "token_latency_ttft": 12.5}


def test_a_cost_that_cannot_be_computed_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    billing = Billing(CostSheet([Cost("x", expression=Expression("1u / output_tokens"))]))
    for _ in range(2):
        reader = AnswerReader("text/event-stream")
        told = billing.open(LABELS, "").update(reader, {})
        assert "x" not in told[NAMESPACE]
    [record] = caplog.records
    assert record.message == "a cost is not charged"
    assert record.__dict__["key"] == "x"
    assert repr(billing) == "<Billing ['x']>"
