from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.http2.frames_by_lot import check, conversation, spoiled
from tests.http2.peer import HELLO


@given(st.binary(max_size=300))
def test_noise_is_an_error_or_nothing(noise: bytes) -> None:
    check(noise)
    check(HELLO + noise)


def test_conversations_drawn_by_lot_and_spoiled_break_nothing() -> None:
    """Some of them; `make fuzz` goes on for as long as one likes."""
    rng = random.Random(3)
    for _ in range(2000):
        said = conversation(rng)
        check(said)
        check(spoiled(said, rng))
