from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from epp.scrape.engines import ENGINES
from epp.scrape.token_times import TokenTimes
from tests.scrape.pages import real

NAME = "vllm:inter_token_latency_seconds"


def made() -> TokenTimes:
    return TokenTimes(ENGINES["vllm"].token_times)


def page(seconds: float, tokens: float, name: str = NAME) -> bytes:
    return (
        f'x 1\n{name}_count{{engine="0"}} {tokens}\n{name}_sum{{engine="0"}} {seconds}\n'.encode()
    )


def test_two_real_pages_tell_what_passed_between_them() -> None:
    times = made()
    assert times.read(real("idle"), 1.0) is None
    # 0.2758 s in 45 tokens, then 2.0242 s in 702
    assert times.read(real("queued"), 2.0) == pytest.approx((2.0242168360 - 0.2758024010) / 657)
    assert times.read(real("queued"), 3.0) is None  # nothing new
    assert times.read(real("busy"), 4.0) == pytest.approx((9.0094753850 - 2.0242168360) / 2033)


def test_a_server_that_began_anew_tells_nothing_at_first() -> None:
    times = made()
    times.read(page(5.0, 100), 1.0)
    assert times.read(page(0.1, 2), 2.0) is None
    assert times.read(page(0.3, 12), 3.0) == pytest.approx(0.02)


def test_the_older_name_is_known_too() -> None:
    times, older = made(), "vllm:time_per_output_token_seconds"
    times.read(page(1.0, 10, older), 1.0)
    assert times.read(page(1.5, 20, older), 2.0) == pytest.approx(0.05)


@pytest.mark.parametrize("bad", ["NaN", "-Inf", "1e999", "garbage", "", "-5"])
def test_what_is_no_number_tells_nothing(bad: str) -> None:
    times = made()
    times.read(page(1.0, 10), 1.0)
    text = page(2.0, 20).replace(b"} 2.0", b"} " + bad.encode())
    assert times.read(text, 2.0) is None


def test_a_page_without_it_is_searched_once_a_second() -> None:
    times = made()
    assert times.read(b"x 1\n", 1.0) is None
    assert times.read(page(1.0, 10), 1.5) is None
    assert times.read(page(2.0, 20), 2.1) is None  # the first that was read
    assert times.read(page(3.0, 30), 2.2) == pytest.approx(0.1)


@given(
    st.lists(st.lists(st.floats(1e-4, 10), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, 300),
)
def test_it_agrees_with_pages_of_pythons_client(rounds: list[list[float]], filling: int) -> None:
    registry = CollectorRegistry()
    Histogram("a_filling", "x" * filling, registry=registry)
    histogram = Histogram("vllm:inter_token_latency_seconds", "x", ["engine"], registry=registry)
    Histogram("vllm:zz", "x", registry=registry)
    for engine in "01":
        histogram.labels(engine).observe(0.5)
    times = made()
    times.read(generate_latest(registry), 0.0)
    for at, observed in enumerate(rounds, 1):
        for number, seconds in enumerate(observed):
            histogram.labels(str(number % 2)).observe(seconds)
        read = times.read(generate_latest(registry), float(at))
        assert read == pytest.approx(sum(observed) / len(observed))
