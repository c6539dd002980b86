from __future__ import annotations

import pytest

from epp.manifests.quantity import duration_s, quantity_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("50Mi", 52_428_800), ("32Ki", 32_768), ("1M", 1_000_000), ("1Gi", 1 << 30), ("7", 7)],
)
def test_sizes_are_read_as_kubernetes_writes_them(text: str, size: int) -> None:
    assert quantity_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0", "050Mi", "Mi", "50MB", "-1", "1.5Gi", "50 Mi", "1e3"])
def test_other_texts_are_no_size(text: str) -> None:
    assert quantity_bytes(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("1h30m", 5400), ("500ms", 0.5), ("0s", 0), ("1h1m1s1ms", 3661.001)],
)
def test_durations_are_read_as_the_gateway_api_writes_them(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "60", "1.5h", "-1s", "1d", "1h1m1s1ms1s", "123456s", "1 s"])
def test_other_texts_are_no_duration(text: str) -> None:
    assert duration_s(text) is None
