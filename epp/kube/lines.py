"""A stream of bytes to the lines of a watch."""

from __future__ import annotations

from epp.kube.errors import UnreadableError

MAX_LINE_BYTES = (
    16 << 20
)  # etcd refuses objects over 1.5 MiB; JSON of one may be several times that


class LineSplitter:
    r"""Splits at `\n` only: text may hold U+0085 and other ends of lines as they are."""

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes; blank ones are dropped."""
        first, *others = data.split(b"\n")
        self._rest += first
        if len(self._rest) > self._max_bytes:
            raise UnreadableError(f"a line of more than {self._max_bytes} bytes")
        if not others:
            return []
        lines = [bytes(self._rest), *others[:-1]]
        self._rest = bytearray(others[-1])
        return [line for line in lines if line]
