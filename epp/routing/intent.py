"""What a request asks for, and what has been laid down about it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import structs

from epp.exchange.actions import Route
from epp.exchange.events import AnswerEdit, Headers
from epp.openai import request as openai
from epp.openai.prompt import opening
from epp.openai.rewrite import Change, changed
from epp.routing import headers as names
from epp.routing.deadline import deadline
from epp.routing.labels import Labels
from epp.routing.models import ModelTable
from epp.routing.reading import Reading
from epp.routing.rules import Rules

_USAGE_ON_REQUEST = frozenset({"chat", "completion"})  # whose streams tell it only if asked
_CHARS_PER_TOKEN = 4  # of English text, about; other texts and code have fewer


class Intent(msgspec.Struct, frozen=True):
    """What a request asks for, understood."""

    headers: Headers
    request: openai.Request
    labels: Labels
    endpoint_labels: Mapping[str, str] = {}  # those that an endpoint must have
    deadline: float | None = None  # monotonic seconds, after which the client does not wait
    remove_headers: tuple[str, ...] = ()
    clear_route_cache: bool = False
    body: bytes | None = None  # in place of the client's
    edit: AnswerEdit | None = None

    def expired(self, now: float) -> bool:
        """Tell whether nobody waits for the answer any more."""
        return self.deadline is not None and self.deadline <= now


def intend(
    asked: Route,
    reading: Reading,
    rules: Rules,
    table: ModelTable,
    *,
    want_usage: bool,
    started_at: float,
) -> Intent:
    """Apply what was laid down: another model, and usage that only the picker wants to know."""
    headers, request, model = asked.headers, reading.request, reading.model

    def conversation() -> str:
        return names.first(headers, names.SESSION) or opening(request.prompt)

    target = (
        rules.target(model, conversation)
        or table.target(model, conversation)
        or names.first(headers, names.REWRITE)
    )
    change = _change(reading, target, want_usage=want_usage)
    body = None if change is None else _changed(reading, headers, change)
    served = model if body is None and target != request.model else target or model
    labels = Labels(
        model,
        served,
        names.first(headers, names.FAIRNESS_ID),
        rules.priority(names.first(headers, names.OBJECTIVE)),
        request.operation,
        -(-len(request.prompt) // _CHARS_PER_TOKEN),
    )
    removed = names.control(headers)
    intent = Intent(
        headers,
        request,
        labels,
        table.labels(model, served),
        deadline(headers, started_at),
        removed,
        table.clear_route_cache and model != "" and headers.get(names.MODEL) != model,
    )
    if change is None or body is None:
        return intent
    return structs.replace(
        intent,
        body=body,
        remove_headers=(*removed, names.CONTENT_ENCODING) if reading.encoded else removed,
        edit=AnswerEdit(model if change.model else "", change.ask_usage),
    )


def _change(reading: Reading, target: str, *, want_usage: bool) -> Change | None:
    request = reading.request
    rewrite = target != "" and target not in (reading.model, request.model)
    ask_usage = (
        want_usage
        and request.stream
        and not request.include_usage
        and request.operation in _USAGE_ON_REQUEST
    )
    return Change(target if rewrite else "", ask_usage) if rewrite or ask_usage else None


def _changed(reading: Reading, headers: Headers, change: Change) -> bytes | None:
    if reading.plain is None:
        return None
    return changed(reading.plain, headers.get(names.CONTENT_TYPE, ""), change)
