from __future__ import annotations

from epp.app.learned_metrics import LearnedMetrics
from epp.scheduling.figure import Figure


def test_figures_of_endpoints_and_of_pools_are_told_apart_by_their_labels() -> None:
    figures = {
        "a": [Figure("speed", "How fast.", 1.5, "10.0.0.1:80"), Figure("size", "How large.", 3)],
        "b": [Figure("size", "How large.", 4)],
    }
    speed, size = LearnedMetrics(lambda: figures).collect()
    assert [(s.name, s.labels, s.value) for s in (*speed.samples, *size.samples)] == [
        ("llm_d_epp_speed", {"name": "a", "model_server_endpoint": "10.0.0.1:80"}, 1.5),
        ("llm_d_epp_size", {"name": "a"}, 3),
        ("llm_d_epp_size", {"name": "b"}, 4),
    ]


def test_where_nobody_learned_anything_there_is_nothing() -> None:
    assert list(LearnedMetrics(lambda: {"a": []}).collect()) == []


def test_of_two_plugins_that_tell_the_same_the_first_is_heard() -> None:
    figures = {"a": [Figure("size", "How large.", 3), Figure("size", "How large.", 9)]}
    (size,) = LearnedMetrics(lambda: figures).collect()
    assert [s.value for s in size.samples] == [3]
