from __future__ import annotations

import pytest

from epp.exchange.chunks import chunks


@pytest.mark.parametrize(
    ("size", "pieces"), [(0, 1), (61_000, 1), (62_000, 1), (62_001, 2), (63_000, 2), (125_000, 3)]
)
def test_a_body_is_cut_at_62000_bytes_and_only_the_last_piece_ends_it(
    size: int, pieces: int
) -> None:
    body = bytes(n % 251 for n in range(size))
    cut = list(chunks(body))
    assert len(cut) == pieces
    assert b"".join(data for data, _ in cut) == body
    assert [last for _, last in cut] == [False] * (pieces - 1) + [True]
    assert all(len(data) <= 62_000 for data, _ in cut)
