"""Events that differ in nothing but their text, which nearly all of a stream are."""

from __future__ import annotations

import msgspec

_FRAME = b"data: "
_END = b"\n\n"
# What would end a string, or a line, or stand for another character.
_NOT_PLAIN = bytes([*range(0x20), ord('"'), ord("\\")])


class Pattern(msgspec.Struct, frozen=True):
    """What comes before and after the text, framing included."""

    before: bytes
    after: bytes

    def is_all_of(self, data: bytes) -> bool:
        """Tell whether `data` is one such event that counts, as most chunks of a stream are."""
        before, after = self.before, self.after
        if not (data.startswith(before) and data.endswith(after)):
            return False
        try:
            text = data[len(before) : -len(after)].decode()
        except UnicodeDecodeError:
            return False
        return text.isprintable() and text != "" and '"' not in text and "\\" not in text

    def strip(self, data: bytes) -> tuple[int, bytes]:
        """Return how many such events `data` begins with, and what follows them.

        Counts only what would be read just so: an event whose text is empty or not plain is left,
        and all others that are in one piece with it.
        """
        before, after = self.before, self.after
        end = data.rfind(after)
        if end < len(before) or not data.startswith(before):
            return 0, data
        texts = data[len(before) : end].split(after + before)
        if not all(texts) or not _is_plain(b" ".join(texts)):
            return 0, data
        return len(texts), data[end + len(after) :]


def _is_plain(text: bytes) -> bool:
    if len(text.translate(None, _NOT_PLAIN)) != len(text):
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def pattern(event: bytes, text: str, other: str) -> tuple[Pattern, bytes] | None:
    """Return the pattern of an event that has `text` in it, and the event with `other` instead.

    None: the text is not written as it is. The caller must find out whether that event differs in
    the text alone, for what was found may be something else.
    """
    if b"\\" in event or b"\n" in event or b"\r" in event:
        return None
    before, found, after = event.rpartition(b'"%b"' % text.encode())
    if not found:
        return None
    twin = b'%b"%b"%b' % (before, other.encode(), after)
    return Pattern(b'%b%b"' % (_FRAME, before), b'"%b%b' % (after, _END)), twin
