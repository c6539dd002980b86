"""One line of the text format, without its name: `{engine="0"} 6.0 1700000000000`."""

from __future__ import annotations

import math
import re

# Every repetition is possessive: a hostile line costs time in proportion to its length.
_QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SAMPLE = re.compile(rb'[ \t]*+(?:\{((?:[^"}]++|' + _QUOTED + rb")*+)\})?+[ \t]*+([^ \t\r]++)")
_LABEL = re.compile(rb"([A-Za-z_]\w*+)[ \t]*+=[ \t]*+(" + _QUOTED + rb")")
_ESCAPE = re.compile(rb"\\(.)")
_ESCAPED = {b"n": b"\n"}


def value(line: bytes) -> float:
    """Return the sample's value; what cannot be read is no number either, so NaN."""
    found = _SAMPLE.match(line)
    return number(found[2]) if found else math.nan


def number(text: bytes | str) -> float:
    """Return the number that `text` says, NaN if none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def labels(line: bytes) -> dict[str, str]:
    """Return the labels with their escapes undone."""
    found = _SAMPLE.match(line)
    if found is None or found[1] is None:
        return {}
    return {name.decode(): _unquoted(quoted) for name, quoted in _LABEL.findall(found[1])}


def _unquoted(quoted: bytes) -> str:
    text = quoted[1:-1]
    if b"\\" in text:
        text = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), text)
    return text.decode(errors="replace")
