"""How a JSON body is read. One policy for all APIs:

- RFC 8259 in UTF-8. A byte order mark is skipped; UTF-16, NaN, Infinity and lone surrogates are
  refused, though Python's own `json` takes them: Go, Rust and JavaScript servers do not.
- Of equal keys the last counts, and keys are case-sensitive, as in the servers. (Where the picker
  and the server read different models, a client reaches a model that it may not use.)
- What is not needed is checked for its grammar only: bytes that are not UTF-8 and numbers out of
  range are refused where they are read, and are the server's business elsewhere.
- Nesting is bounded by the interpreter: by its recursion limit, from Python 3.14 on by its stack.
- The content type is not asked: `curl -d` without `-H` says it sends a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from epp.openai.invalid import Invalid

T = TypeVar("T")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PATH = re.compile(r" - at `\$\.(\w+.*)`$")


def decode(
    decoder: msgspec.json.Decoder[T],
    body: bytes | msgspec.Raw,
    refuse: Callable[[str], Invalid] | None = None,
) -> T | Invalid:
    """Decode `body`, or say where it is wrong; `refuse` words what is not of the type."""
    if isinstance(body, bytes):
        body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        return (refuse or _mistyped)(str(error))
    except msgspec.DecodeError as error:
        return _malformed(_with_position(str(error), body))
    except UnicodeDecodeError:
        return _malformed("a string is not UTF-8")
    except RecursionError:
        return too_deep()


def too_deep() -> Invalid:
    """Refuse a body of more levels than the interpreter's stack has room for."""
    return _malformed("it is nested too deeply")


def _with_position(error: str, body: bytes | msgspec.Raw) -> str:
    """Say where, also when the end of the body is where it went wrong."""
    why = error.removeprefix("JSON is malformed: ")
    return why if "(byte " in why else f"{why} (byte {len(memoryview(body))})"


def _malformed(why: str) -> Invalid:
    return Invalid(
        f"We could not parse the JSON body of your request: {why[:1].lower()}{why[1:]}.",
        code="invalid_json",
    )


def _mistyped(error: str) -> Invalid:
    """Translate the decoder's message: it names types and our own field names, never a value."""
    found = _PATH.search(error)
    if found is None:
        return Invalid(f"Invalid JSON body: {error[:1].lower()}{error[1:]}.", code="invalid_type")
    what = error[: found.start()]
    return Invalid(
        f"Invalid type for '{found[1]}': {what[:1].lower()}{what[1:]}.",
        param=found[1],
        code="invalid_type",
    )
