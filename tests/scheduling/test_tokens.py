from __future__ import annotations

import pytest

from epp.scheduling.tokens import Tokens, pack


def test_tokens_are_counted_and_the_rest_is_estimated() -> None:
    assert len(Tokens(pack([1, 2, 2**32 - 1]))) == 3
    assert Tokens(pack([1, 2, 3])).prompt == 3.0
    assert Tokens(pack([1, 2, 3]), 0.25).prompt == 12.0


@pytest.mark.parametrize("number", [-1, 2**32])
def test_what_is_no_token_id_is_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        pack([number])
