from __future__ import annotations

from epp.scheduling.kv.agreement import Agreement

A = "10.0.0.1:8000"


def answered(agreement: Agreement, times: int, *, stored: bool, start: float = 0.0) -> None:
    for number in range(times):
        agreement.expect(start + number, A, 5)
        agreement.settle(start + number + 1.0, lambda *_: stored)


def test_tokens_are_trusted_until_servers_keep_storing_other_blocks() -> None:
    agreement = Agreement()
    answered(agreement, 4, stored=False)
    assert agreement.trusted
    answered(agreement, 2, stored=False)
    assert not agreement.trusted


def test_they_are_trusted_again_once_the_blocks_are_there() -> None:
    agreement = Agreement()
    answered(agreement, 20, stored=False)
    answered(agreement, 8, stored=True)
    assert agreement.trusted


def test_a_block_is_looked_for_when_the_event_has_had_its_time() -> None:
    agreement = Agreement()
    agreement.expect(10.0, A, 5)
    agreement.settle(10.9, lambda *_: False)
    assert agreement.asked == 0.0
    agreement.settle(11.0, lambda address, key: (address, key) == (A, 5))
    assert (agreement.asked, agreement.agreed) == (1.0, 1.0)


def test_nothing_is_expected_of_an_endpoint_that_has_left() -> None:
    agreement = Agreement()
    agreement.expect(10.0, A, 5)
    agreement.forget(A)
    agreement.settle(20.0, lambda *_: False)
    assert agreement.asked == 0.0
