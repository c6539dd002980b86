from __future__ import annotations

import pytest

from epp.scheduling.kv.topic import Topic, parse_topic


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("kv@10.0.0.1:8000@llama", Topic("10.0.0.1:8000", "llama")),
        ("kv@127.0.0.1@tiny", Topic("127.0.0.1", "tiny")),
        ("kv@[fd00::1]:8000@llama", Topic("[fd00::1]:8000", "llama")),
        ("kv@pod-a@org/model@rev", Topic("pod-a", "org/model@rev")),
        ("kv@pod-a", Topic("pod-a")),
        ("kv@", None),
        ("kv@@llama", None),
        ("", None),
        ("kv-events", None),
    ],
)
def test_a_topic_names_a_pod_and_a_model(text: str, topic: Topic | None) -> None:
    assert parse_topic(text) == topic
