"""Short ways to ask for something and to look at what was understood."""

from __future__ import annotations

import json
from typing import Any

from epp.openai.request import Invalid, Request, parse

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"


def read(path: str, **fields: Any) -> Request | Invalid:
    """Parse `fields` as the JSON body of `path`."""
    return parse(path, "application/json", json.dumps(fields).encode())


def understood(path: str, **fields: Any) -> Request:
    """Parse a body that must be fine."""
    request = read(path, **fields)
    assert isinstance(request, Request), request
    return request


def refused(path: str, **fields: Any) -> Invalid:
    """Parse a body that must be refused."""
    invalid = read(path, **fields)
    assert isinstance(invalid, Invalid), invalid
    return invalid


def user(content: Any) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": content}
