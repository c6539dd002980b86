"""multipart/form-data, as far as uploads of sound need it (RFC 7578).

The standard library's parser reads line by line and copies every file; this one searches for the
boundaries and looks only at what it wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from epp.openai import prompt
from epp.openai.body import Body
from epp.openai.invalid import Invalid, mistyped

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^\s";]{1,200}))', re.IGNORECASE)
# From one parameter to the next, so that a quoted value is never taken for a parameter.
_PARAMETER = re.compile(rb';\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
FORM = "multipart/form-data"
_MAX_PARTS = 64  # real forms have under ten
_MAX_HEAD_BYTES = 8192
_WANTED = {"model", "prompt", "stream"}


class Part(msgspec.Struct, frozen=True):
    """One field of a form."""

    name: str
    is_file: bool
    value: memoryview
    start: int  # where the value is in the body


class FormBody(Body):
    """The fields of a form, files as their sums."""

    prompt: str = ""
    files: str = ""

    def text(self) -> str | Invalid:
        """Return the prompt, which only biases what is heard in the files."""
        return prompt.plain(self.prompt) + self.files


def read_form(content_type: str, body: bytes) -> FormBody | Invalid:
    """Read the fields that matter; of equal names the last counts, as in JSON."""
    delimiter = _delimiter(content_type)
    if delimiter is None:
        return _malformed("expected multipart/form-data with a boundary")
    form = FormBody()
    for part in _parts(body, delimiter):
        refused = part if isinstance(part, Invalid) else _take(form, part)
        if refused is not None:
            return refused
    return form


def form_with(content_type: str, body: bytes, field: str, value: str) -> bytes | None:
    """Return `body` with `value` in each field of that name; None if there is none.

    Everything else stays byte for byte.
    """
    delimiter = _delimiter(content_type)
    pieces: list[bytes | memoryview] = []
    copied = 0
    for part in _parts(body, delimiter) if delimiter else ():
        if isinstance(part, Invalid):
            return None
        if part.name == field and not part.is_file:
            pieces += [memoryview(body)[copied : part.start], value.encode()]
            copied = part.start + len(part.value)
    return b"".join([*pieces, memoryview(body)[copied:]]) if pieces else None


def _delimiter(content_type: str) -> bytes | None:
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().lstrip().startswith(FORM) or boundary is None:
        return None
    return b"--" + (boundary[1] or boundary[2]).encode(errors="replace")


def _take(form: FormBody, part: Part) -> Invalid | None:
    if part.is_file:
        form.files += prompt.media(prompt.plain(part.name), part.value)
    elif part.name in _WANTED:
        try:
            value = str(part.value, "utf-8")
        except UnicodeDecodeError:
            return mistyped(part.name, "UTF-8")
        # A form has only strings, so this one stands for the boolean.
        setattr(form, part.name, value.lower() == "true" if part.name == "stream" else value)
    return None


def _parts(body: bytes, delimiter: bytes) -> Iterator[Part | Invalid]:
    """Cut `body` at the delimiters. A body that is not whole ends with an Invalid."""
    view = memoryview(body)
    why = f"the form has more than {_MAX_PARTS} fields"
    at = (
        0
        if body.startswith((delimiter + b"\r\n", delimiter + b"--"))
        else _next(body, delimiter, 0)
    )
    for _ in range(_MAX_PARTS):
        start = at + len(delimiter)
        if at >= 0 and body.startswith(b"--", start):
            return
        head_end = body.find(b"\r\n\r\n", start, start + _MAX_HEAD_BYTES)
        end = _next(body, delimiter, head_end + 2)
        if at < 0 or head_end < 0 or end < 0:
            why = "the form is not complete"
            break
        value_start = head_end + 4
        part = _part(
            body[start:head_end], view[value_start : max(value_start, end - 2)], value_start
        )
        if part is not None:
            yield part
        at = end
    yield _malformed(why)


def _next(body: bytes, delimiter: bytes, start: int) -> int:
    """Find the next line that is a delimiter, not one that merely begins like it."""
    while (at := body.find(b"\r\n" + delimiter, start)) >= 0:
        start = at + 2 + len(delimiter)
        if body[start : start + 2] in {b"--", b"\r\n"}:
            return at + 2
    return -1


def _part(head: bytes, value: memoryview, start: int) -> Part | None:
    """Read what a field says about itself; None if it has no name."""
    for line in head.split(b"\r\n"):
        key, _, rest = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            given = {k.lower(): quoted or token for k, quoted, token in _PARAMETER.findall(rest)}
            if b"name" in given:
                name = given[b"name"].decode(errors="replace")
                return Part(name, b"filename" in given or b"filename*" in given, value, start)
    return None


def _malformed(why: str) -> Invalid:
    return Invalid(f"We could not parse the form of your request: {why}.", code="invalid_form")
