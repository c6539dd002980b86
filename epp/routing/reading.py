"""What a request's body says."""

from __future__ import annotations

import msgspec

from epp.exchange.actions import Route
from epp.exchange.events import Headers
from epp.openai import encodings
from epp.openai import request as openai
from epp.openai.validation import Parse, Validation
from epp.routing import headers as names

_NO_MODEL_NEEDED = frozenset(
    "passthrough count_tokens tokenize conversations grpc_generate grpc_embed".split()
)
_UNREAD = openai.Request("passthrough")

MODEL_MISSING = openai.Invalid(
    "you must provide a model parameter", "model", "missing_required_parameter"
)


class Reading(msgspec.Struct, frozen=True):
    """A request, understood as far as its body could be read."""

    request: openai.Request
    model: str = ""  # of the header, which is believed more, or of the body
    plain: bytes | None = None  # the body, not compressed; None: there is none to be read
    encoded: bool = False  # the client sent it compressed


class Reader:
    """Reads bodies as strictly as it was told when it was made."""

    def __init__(self, parse: Parse, validation: Validation) -> None:
        self._parse = parse
        self._off = validation is Validation.OFF
        self._strict = validation is Validation.STRICT

    def read(self, asked: Route, limit_bytes: int) -> Reading | openai.Invalid:
        """Understand a request; a compressed body may expand to `limit_bytes`."""
        headers = asked.headers
        given = headers.get(names.MODEL, "")
        if given and (invalid := openai.invalid_model(given)):
            return invalid
        body = asked.body
        if body is None or headers.get(":method", "POST") != "POST":
            return Reading(_UNREAD, given)
        coding = headers.get(names.CONTENT_ENCODING, "")
        if not coding or not encodings.is_encoded(coding):
            return self._understood(headers, given, body, encoded=False)
        expanded = encodings.expand(body, coding, limit_bytes)
        if isinstance(expanded, bytes):
            return self._understood(headers, given, expanded, encoded=True)
        return Reading(_UNREAD, given) if self._pass(expanded, given) else expanded

    def _understood(
        self, headers: Headers, given: str, body: bytes, *, encoded: bool
    ) -> Reading | openai.Invalid:
        content_type = headers.get(names.CONTENT_TYPE, "")
        request = self._parse(openai.request_path(headers), content_type, body)
        if isinstance(request, openai.Invalid):
            return request
        model = given or request.model
        if not model and not self._off and request.operation not in _NO_MODEL_NEEDED:
            return MODEL_MISSING
        return Reading(request, model, body, encoded)

    def _pass(self, invalid: openai.Invalid, given: str) -> bool:
        """Tell whether a body that cannot be expanded goes on unread."""
        return self._off or (invalid.status == 415 and given != "" and not self._strict)
