from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from epp.kube.candidacy import Candidacy, Lease, LeasePace, LeaseSpec

WALL = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def held(by: str, renewed: str = "1", duration_s: int | None = 15) -> Lease:
    spec = LeaseSpec(
        holder_identity=by,
        lease_duration_seconds=duration_s,
        acquire_time="then",
        renew_time=renewed,
        lease_transitions=4,
    )
    return Lease({"name": "x", "resourceVersion": "7", "labels": {"theirs": "kept"}}, spec)


def me() -> Candidacy:
    return Candidacy("me", LeasePace())


def test_a_free_lease_and_ones_own_may_be_had() -> None:
    assert me().may_hold(held(""), 0.0)
    assert me().may_hold(Lease({}), 0.0)
    assert me().may_hold(held("me"), 0.0)


def test_anothers_lease_expires_by_the_clock_here_since_it_last_changed() -> None:
    candidacy = me()
    assert not candidacy.may_hold(held("other", "1"), 100.0)
    assert not candidacy.may_hold(held("other", "2"), 110.0)
    assert not candidacy.may_hold(held("other", "2"), 124.9)
    assert candidacy.may_hold(held("other", "2"), 125.0)


def test_a_lease_without_a_duration_lasts_as_long_as_ones_own() -> None:
    candidacy = me()
    assert not candidacy.may_hold(held("other", duration_s=None), 0.0)
    assert not candidacy.may_hold(held("other", duration_s=None), 14.9)
    assert candidacy.may_hold(held("other", duration_s=None), 15.0)


def test_taking_a_lease_is_a_transition_and_renewing_is_none() -> None:
    taken = me().taken(held("other"), WALL)
    assert taken.spec == LeaseSpec(
        holder_identity="me",
        lease_duration_seconds=15,
        acquire_time="2026-11-23T12:00:00.000005Z",
        renew_time="2026-11-23T12:00:00.000005Z",
        lease_transitions=5,
    )
    renewed = me().taken(held("me"), WALL)
    assert (renewed.spec.acquire_time, renewed.spec.lease_transitions) == ("then", 4)
    assert renewed.metadata == held("me").metadata


def test_a_first_lease_has_no_transitions() -> None:
    first = me().first("models", "x", WALL)
    assert first.metadata == {"namespace": "models", "name": "x"}
    assert (first.spec.holder_identity, first.spec.lease_transitions) == ("me", 0)


def test_a_lease_that_is_let_go_is_free_at_once() -> None:
    released = me().released(held("me"), WALL)
    assert (released.spec.holder_identity, released.spec.lease_duration_seconds) == ("", 1)
    assert Candidacy("other", LeasePace()).may_hold(released, 0.0)
    assert b'"holderIdentity":""' in msgspec.json.encode(released)


@pytest.mark.parametrize(
    ("duration_s", "renew_s", "retry_s"), [(10, 10.0, 2.0), (15, 2.0, 2.0), (15, 10.0, 0.0)]
)
def test_times_that_allow_two_leaders_are_refused(
    duration_s: int, renew_s: float, retry_s: float
) -> None:
    with pytest.raises(ValueError, match="lasts longer"):
        LeasePace(duration_s=duration_s, renew_s=renew_s, retry_s=retry_s)
