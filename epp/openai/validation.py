"""How much of a request the picker answers for, and how much it leaves to the servers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Container, Mapping
from typing import TypeAlias

from epp.openai import request
from epp.openai.apis import Api, Read
from epp.openai.invalid import Invalid
from epp.openai.request import Request

Parse: TypeAlias = Callable[[str, str, bytes], Request | Invalid]  # path, content type, body


class Validation(enum.Enum):
    """`validate` in the configuration."""

    STRICT = "strict"  # refuse what the API does not know
    LENIENT = "lenient"  # refuse what cannot be read, and a missing model or prompt
    OFF = "off"  # refuse nothing


_READ: Mapping[Validation, Read] = {
    Validation.STRICT: Api.read_strictly,
    Validation.LENIENT: Api.read_leniently,
    Validation.OFF: Api.read_anyhow,
}


def parser(parsers: Container[str], validation: Validation) -> Parse:
    """Return what understands requests. How strictly is settled here, once, for all of them."""
    read, forgiving = _READ[validation], validation is Validation.OFF
    return lambda path, content_type, body: request.parse(
        path, content_type, body, parsers, read, forgiving=forgiving
    )
