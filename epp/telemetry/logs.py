"""Log lines: JSON for machines, text for people.

Callers log ids, sizes and reasons, never a body, a token or the value of a header: no formatter can
take out what it does not recognise.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

Format = Literal["json", "text", "auto"]

# What every record carries; all else came in through `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; a field of `extra` cannot replace one of the line's own."""
        line: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__qualname__
            line["traceback"] = self.formatException(record.exc_info)
        for key, value in _extra(record).items():
            line.setdefault(key, value)
        return _encode(line)


class TextFormatter(logging.Formatter):
    """Time, level, message and fields on one line; a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; control characters are escaped, so that nothing can pose as a line."""
        time = _time(record).astimezone().strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {key}={_shown(value)}" for key, value in _extra(record).items())
        message = _printable(record.getMessage())
        line = f"{time} {record.levelname:<7} {record.name}: {message}{fields}"
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(level: str, form: Format, stream: TextIO) -> None:
    """Send the picker's logs from `level` up to `stream`; `auto` is text on a terminal, else JSON.

    Libraries speak up from `warning` only: below that, some write out the headers they send.
    """
    text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root, own = logging.getLogger(), logging.getLogger("epp")
    root.handlers[:] = [handler]
    own.setLevel(level.upper())
    root.setLevel(max(own.level, logging.WARNING))


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _extra(record: logging.LogRecord) -> Mapping[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def _encode(line: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(line, enc_hook=str).decode()
    except (UnicodeEncodeError, OverflowError, TypeError, RecursionError):
        # A log line must come out whatever it was given: lone surrogates, huge numbers.
        return msgspec.json.encode({k: _printable(str(v)) for k, v in line.items()}).decode()


def _shown(value: object) -> str:
    text = _printable(str(value))
    return repr(text) if " " in text or not text else text


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
