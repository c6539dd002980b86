from __future__ import annotations

import msgspec

from epp.manifests.lint.report import as_json, as_lines, summary
from epp.manifests.lint.rule import Finding

ONE = Finding("a.yaml", 7, "error", "bad-duration", "ten\nminutes\x1b", "write 10m")
TWO = Finding("b.yaml", 1, "warning", "app-protocol", "h2c", "remove it")


def test_a_finding_is_one_line_whatever_it_quotes() -> None:
    assert as_lines([ONE, TWO]) == (
        "a.yaml:7: error bad-duration: ten\\nminutes\\x1b (write 10m)\n"
        "b.yaml:1: warning app-protocol: h2c (remove it)\n"
    )
    assert as_lines([]) == ""


def test_json_has_every_field() -> None:
    assert msgspec.json.decode(as_json([TWO])) == [
        {
            "file": "b.yaml",
            "line": 1,
            "severity": "warning",
            "rule": "app-protocol",
            "message": "h2c",
            "remedy": "remove it",
        }
    ]


def test_the_summary_counts() -> None:
    assert summary([ONE, TWO, TWO], 1) == "1 object: 1 error, 2 warnings"
    assert summary([], 2) == "2 objects: 0 errors, 0 warnings"
