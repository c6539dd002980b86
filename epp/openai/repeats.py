"""Events that differ in nothing but their text, which nearly all of a stream are."""

from __future__ import annotations

import msgspec

_FRAME = b"data: "
_END = b"\n\n"
_BACKSLASH, _LF, _CR = b"\\\n\r"  # a byte in bytes is found ten times as fast as bytes in them
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
        start, end = len(before), data.rfind(after)
        if end < start or not data.startswith(before):
            return 0, data
        # Each is a line, and an empty one follows. To look for all that is between two texts takes
        # four times as long as to cut them out by their place and to see that no more was there.
        lines = data[: end + len(after) - len(_END)].split(b"\n")
        stop = len(_END) - len(after)
        texts = [line[start:stop] for line in lines[::2]]
        if not all(texts) or (after + before).join(texts) != data[start:end]:
            return 0, data
        return (len(texts), data[end + len(after) :]) if _is_plain(b" ".join(texts)) else (0, data)


def _is_plain(text: bytes) -> bool:
    if len(text.translate(None, _NOT_PLAIN)) != len(text):
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def pattern(event: bytes, text: str) -> Pattern | None:
    """Return the pattern of an event of which `text` is a value.

    None: another text in its place may not be all that changes, for it is written in another way,
    or stands there more than once.
    """
    if _BACKSLASH in event or _LF in event or _CR in event:
        return None
    quoted = b'"%b"' % text.encode()
    before, found, after = event.partition(quoted)
    if not found or after.find(quoted) >= 0:
        return None
    return Pattern(b'%b%b"' % (_FRAME, before), b'"%b%b' % (after, _END))
