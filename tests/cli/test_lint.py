from __future__ import annotations

import io
import sys
from pathlib import Path

import msgspec
import pytest

from epp.manifests.lint.table import RULES
from tests.cli.conftest import ROOT, Run
from tests.manifests.lint.planted import CLEAN, plant

WARNING = ("FailClose", "FailOpen")
ERROR = ("type: TotalToken", "type: TotalTokens")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_nothing_is_said_of_what_is_right(run: Run, file: Path) -> None:
    file.write_text(CLEAN)
    ended = run("lint", str(file))
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == "17 objects: 0 errors, 0 warnings\n"


def test_a_finding_is_one_line_with_file_line_rule_and_remedy(run: Run, file: Path) -> None:
    file.write_text(plant(ERROR))
    ended = run("lint", str(file))
    assert ended.status == 1
    assert ended.out.startswith(f"{file}:47: error cost-type: ")
    assert ended.out.count("\n") == 1


def test_a_warning_is_no_failure_unless_it_is_to_be_one(run: Run, file: Path) -> None:
    file.write_text(plant(WARNING))
    assert run("lint", str(file)).status == 0
    assert run("lint", "--strict", str(file)).status == 1


def test_a_rule_can_be_left_out(run: Run, file: Path) -> None:
    file.write_text(plant(WARNING, ERROR))
    ended = run("lint", str(file), "--ignore", "cost-type", "--ignore", "fail-open-ignored")
    assert (ended.status, ended.out) == (0, "")


def test_a_rule_that_there_is_not_cannot_be_left_out(run: Run, file: Path) -> None:
    ended = run("lint", str(file), "--ignore", "cost-typ")
    assert ended.status == 2
    assert 'did you mean "cost-type"?' in ended.err


def test_json_is_for_programs(run: Run, file: Path) -> None:
    file.write_text(plant(ERROR))
    ended = run("lint", "--format", "json", str(file))
    (finding,) = msgspec.json.decode(ended.out)
    assert (finding["file"], finding["line"], finding["rule"]) == (str(file), 47, "cost-type")
    file.write_text(CLEAN)
    assert run("lint", "--format", "json", str(file)).out == "[]\n"


def test_standard_input_is_read_beside_files(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, rest = plant(ERROR).split("---\n", 1)
    file.write_text(first)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rest.encode())))
    ended = run("lint", "-", str(file))
    assert ended.out.startswith("-:39: error cost-type: ")
    assert ended.err.startswith("17 objects")


def test_files_of_a_folder_are_checked_together(run: Run, tmp_path: Path) -> None:
    for i, text in enumerate(plant(WARNING).split("---\n")):
        (tmp_path / f"{i}.yaml").write_text(text)
    ended = run("lint", str(tmp_path))
    assert ended.status == 0
    assert ended.err == "17 objects: 0 errors, 1 warning\n"


def test_a_file_that_cannot_be_read_is_an_error(run: Run, file: Path) -> None:
    ended = run("lint", str(file))
    assert ended.status == 1
    assert ended.out.startswith(f"{file}:1: error unreadable: ")


def test_without_files_there_is_nothing_to_check(run: Run) -> None:
    assert run("lint").status == 2


def test_the_rules_are_listed(run: Run) -> None:
    ended = run("lint", "--rules")
    assert ended.status == 0
    assert [line.split()[0] for line in ended.out.splitlines()[::2]] == [r.id for r in RULES]


# Routes that are alternatives to each other, each with what it is applied with.
DEPLOYED = {
    "http-route": ["kubernetes", "ai-gateway/gateway.yaml", "ai-gateway/http-route.yaml"],
    "ai-gateway-route": [
        "kubernetes",
        "ai-gateway/gateway.yaml",
        "ai-gateway/ai-gateway-route.yaml",
        "ai-gateway/token-limits.yaml",
    ],
    "mixed-backends": ["kubernetes", "ai-gateway/gateway.yaml", "ai-gateway/mixed-backends.yaml"],
    "envoy-gateway": ["envoy-gateway", "kubernetes"],
    "sidecar": ["sidecar"],
    "others": ["compose", "envoy", "helm", "render"],
}


@pytest.mark.parametrize("name", DEPLOYED)
def test_nothing_is_found_in_what_the_project_ships(run: Run, name: str) -> None:
    ended = run("lint", "--strict", *(str(ROOT / "deploy" / path) for path in DEPLOYED[name]))
    assert (ended.status, ended.out) == (0, "")
