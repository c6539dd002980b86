"""A prompt as its model sees it, as far as that is known."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable

import msgspec

TOKEN_BYTES = 4


class Tokens(msgspec.Struct, frozen=True):
    """The prompt's leading tokens, as unsigned numbers of four bytes in the machine's order.

    Media stand in a prompt as tokens that do not say what they are: with them nothing is known.
    """

    data: bytes
    share: float = 1.0  # of the prompt's text that these are; 1: all of it

    def __len__(self) -> int:
        return len(self.data) // TOKEN_BYTES

    @property
    def prompt(self) -> float:
        """The tokens of the whole prompt; an estimate where not all are known."""
        return len(self) / self.share


def pack(ids: Iterable[int]) -> bytes:
    """Return token ids in the form that `Tokens` has; OverflowError if one is no token id."""
    return array("I", ids).tobytes()


assert array("I").itemsize == TOKEN_BYTES, sys.platform
