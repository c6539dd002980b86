from __future__ import annotations

from epp.openai.request import Invalid
from epp.routing import refusals
from epp.routing.admission.shed import Shed
from epp.scheduling.decision import Exhausted, Refusal, Verdict

DROPPED = (Verdict("first-filter", ()), Verdict("last-filter", ("10.0.0.1:8000",)))


def test_what_the_client_did_wrong_keeps_its_words() -> None:
    refused = refusals.malformed(Invalid("No.", "model", "invalid_value", 415))
    assert (refused.status, refused.message, refused.reason) == (415, "No.", "rejected-malformed")
    assert (refused.param, refused.code) == ("model", "invalid_value")


def test_saturation_is_for_the_client_to_try_again() -> None:
    refused = refusals.exhausted(Refusal(Exhausted.SATURATED, DROPPED))
    assert (refused.status, refused.reason) == (429, "rejected-saturated")
    assert (refused.code, refused.retry_after_s) == ("rate_limit_exceeded", 1)


def test_only_the_client_s_own_deadline_is_not_for_it_to_try_again() -> None:
    for why in set(Shed) - {Shed.DEADLINE}:
        refused = refusals.shed(why, 7)
        assert (refused.status, refused.retry_after_s) == (429, 7)
    refused = refusals.shed(Shed.DEADLINE, 7)
    assert (refused.status, refused.code, refused.retry_after_s) == (504, "deadline_exceeded", None)


def test_filters_that_left_nobody_are_named() -> None:
    refused = refusals.exhausted(Refusal(Exhausted.NO_ENDPOINTS, DROPPED))
    assert (refused.status, refused.reason) == (503, "rejected-no-endpoints")
    assert "(last-filter)" in refused.message
    assert "10.0.0.1" not in refused.message, "addresses are not the client's business"


def test_an_empty_pool_is_not_a_filters_fault() -> None:
    assert refusals.exhausted(Refusal(Exhausted.NO_ENDPOINTS)) is refusals.NOBODY_READY


def test_every_refusal_for_want_of_endpoints_is_the_same_to_a_program() -> None:
    for refused in (refusals.NOBODY_READY, refusals.NOBODY_ELIGIBLE):
        assert (refused.status, refused.reason) == (503, "rejected-no-endpoints")
