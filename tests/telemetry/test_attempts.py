from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.telemetry.attempts import Attempts, place

A = Endpoint("10.0.0.1:8000", name="pod-a", labels={"namespace": "prod"})
B = Endpoint("[fd00::1]:8001")
POOL = {e.address: e for e in (A, B)}


def counts(attempts: Attempts, pool: dict[str, Endpoint]) -> dict[tuple[str, ...], float]:
    samples = attempts.family(pool).samples
    return {tuple(sample.labels.values()): sample.value for sample in samples}


def test_an_endpoint_is_placed_by_name_namespace_and_port() -> None:
    assert place(A) == ("pod-a", "prod", "8000")
    assert place(B) == ("[fd00::1]", "", "8001")


def test_attempts_are_counted_by_model_endpoint_and_status() -> None:
    attempts = Attempts()
    attempts.add("llama", A.address)
    attempts.add("llama", A.address)
    attempts.add("llama", B.address)
    attempts.add("llama", None)
    assert counts(attempts, POOL) == {
        ("success", "llama", "pod-a", "prod", "8000"): 2,
        ("success", "llama", "[fd00::1]", "", "8001"): 1,
        ("failure", "llama", "", "", ""): 1,
    }


def test_an_endpoint_that_left_takes_its_series_along() -> None:
    attempts = Attempts()
    attempts.add("llama", A.address)
    assert counts(attempts, {}) == {}
    assert counts(attempts, POOL) == {}


def test_beyond_the_limit_models_are_no_longer_told_apart() -> None:
    attempts = Attempts(limit=1)
    for model in ("llama", "qwen", "phi", "llama"):
        attempts.add(model, A.address)
    assert counts(attempts, POOL) == {
        ("success", "llama", "pod-a", "prod", "8000"): 2,
        ("success", "other", "pod-a", "prod", "8000"): 2,
    }


def test_endpoints_of_one_name_share_a_series() -> None:
    attempts = Attempts()
    twins = {a: Endpoint(a, name="pod") for a in ("10.0.0.1:80", "10.0.0.2:80")}
    for address in twins:
        attempts.add("llama", address)
    assert counts(attempts, twins) == {("success", "llama", "pod", "", "80"): 2}
