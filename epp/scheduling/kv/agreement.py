"""Whether servers store the blocks that the picker computes from the same prompts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

_DECAY = 0.9
_ENOUGH = 4.0  # answers, older ones counting less, before anything is concluded
_SHARE = 0.5
_PATIENCE_S = 1.0  # an answer of one token may be here before the event
_PENDING = 64


class _Expected(msgspec.Struct, frozen=True):
    at: float
    address: str
    key: int


class Agreement:
    """Of one model: after an answer its server must have the prompt's first block.

    If it has not, the tokens are not the server's: another tokenizer or chat template. All
    prompts would then look as if nobody had cached them.
    """

    def __init__(self) -> None:
        self.asked = 0.0
        self.agreed = 0.0
        self._pending: deque[_Expected] = deque(maxlen=_PENDING)

    def __repr__(self) -> str:
        return f"<Agreement {self.agreed:.1f} of {self.asked:.1f}>"

    @property
    def trusted(self) -> bool:
        """Whether the tokens can be used."""
        return self.asked < _ENOUGH or self.agreed >= _SHARE * self.asked

    def expect(self, now: float, address: str, key: int) -> None:
        """Look for a block of an answered prompt later."""
        self._pending.append(_Expected(now, address, key))

    def settle(self, now: float, holds: Callable[[str, int], bool]) -> None:
        """Look for the blocks whose time has come."""
        pending = self._pending
        while pending and now - pending[0].at >= _PATIENCE_S:
            expected = pending.popleft()
            self.asked = self.asked * _DECAY + 1.0
            self.agreed = self.agreed * _DECAY + holds(expected.address, expected.key)

    def forget(self, address: str) -> None:
        """Expect nothing of an endpoint that has left."""
        left = [expected for expected in self._pending if expected.address != address]
        self._pending = deque(left, maxlen=_PENDING)
