from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

HEAD = "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n"
GOOD = (
    HEAD
    + """plugins:
- {name: short-queue, type: queue-scorer}
- type: max-score-picker
schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: short-queue, weight: 2.5}
  - {pluginRef: max-score-picker}
"""
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_a_good_file_is_told_in_words(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    ended = run("validate", str(file))
    assert ended.status == 0
    assert ended.out.splitlines()[:4] == [
        f"{file} is good.",
        "profile default:",
        "  short-queue (queue-scorer)  weight 2.5",
        "  max-score-picker",
    ]
    assert "openai-parser" in ended.out


def test_a_model_table_is_told_in_words(run: Run, file: Path) -> None:
    file.write_text(
        GOOD
        + """validate: strict
models:
  unknown: refuse
  clearRouteCache: true
  table:
  - {name: base, aliases: [gpt], adapters: [poet], endpointLabels: {size: big}}
  - {name: canary, targets: [{model: v1, weight: 9}, {model: v2}]}
"""
    )
    told = run("validate", str(file)).out.splitlines()
    assert "validate: strict" in told
    assert [line for line in told if line.startswith("model")] == [
        "models: one that is not known is refused with 404; GET /v1/models is answered here",
        "models: the proxy chooses its route anew, by x-ai-eg-model",
        "model base: served by base  size=big",
        "model gpt: served by base  size=big",
        "model poet: a LoRA adapter of base  size=big",
        "model canary: served by v1 (90 %), v2 (10 %)",
    ]


def test_what_is_left_to_the_servers_is_told(run: Run, file: Path) -> None:
    file.write_text(GOOD + "models: {listModels: false}\n")
    told = run("validate", str(file)).out.splitlines()
    assert (
        "models: one that is not known is sent on as it is; "
        "GET /v1/models is for an endpoint to answer"
    ) in told
    file.write_text(GOOD)
    assert "model" not in run("validate", str(file)).out.replace(str(file), "")


def test_engines_and_flow_control_are_told(run: Run, file: Path) -> None:
    file.write_text(
        GOOD
        + """engines: [{name: own, waiting: {metric: jobs}}]
flowControl:
  targets: {ttft: 2s, tpot: 50ms}
  models: [{model: small, targets: {}}]
"""
    )
    told = run("validate", str(file)).out.splitlines()
    assert [line for line in told if line.startswith(("engine", "flow"))] == [
        "flow control: first token within 2s, each other within 50ms",
        "flow control of small: no targets",
        "engine own",
    ]


def test_each_mistake_is_named_by_its_line(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace("queue-scorer", "queu-scorer").replace("-picker", "-pickr"))
    ended = run("validate", str(file))
    assert ended.status == 2
    first, second = ended.err.removeprefix("epp: ").splitlines()
    assert first.startswith(f"{file}:4: ")
    assert "queue-scorer" in first
    assert second.startswith(f"{file}:5: ")
    assert "max-score-picker" in second


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "\x00", HEAD + "plugins: 7\n", HEAD.replace("v1alpha1", "v9")]
)
def test_whatever_is_in_the_file_is_a_mistake_with_a_place(run: Run, file: Path, text: str) -> None:
    file.write_text(text)
    ended = run("validate", str(file))
    assert ended.status == 2
    assert ended.err.startswith(f"epp: {file}")


def test_bytes_that_are_no_text_are_a_mistake(run: Run, file: Path) -> None:
    file.write_bytes(b"\xff\xfe\xfa")
    assert run("validate", str(file)).status == 2


def test_a_file_that_cannot_be_read_is_a_mistake(run: Run, file: Path) -> None:
    for path in (file, file.parent):
        ended = run("validate", str(path))
        assert ended.status == 2
        assert str(path) in ended.err


def test_a_preset_is_told_in_words_too(run: Run) -> None:
    ended = run("validate", "--preset", "marginal-cost")
    assert ended.status == 0
    assert ended.out.splitlines()[:3] == [
        "preset marginal-cost is good.",
        "profile default:",
        "  failure-memory-filter",
    ]


def test_a_file_and_a_preset_are_one_too_many(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    ended = run("validate", str(file), "--preset", "classic")
    assert ended.status != 0
    assert "not both" in ended.err


def test_costs_are_told(run: Run, file: Path) -> None:
    costs = """llmRequestCosts:
- {metadataKey: all, type: TotalToken}
- {metadataKey: half, type: CEL, cel: total_tokens / 2u}
"""
    file.write_text(GOOD + costs)
    told = run("validate", str(file)).out.splitlines()
    assert [line for line in told if line.startswith("cost ")] == [
        "cost io.envoy.ai_gateway:all: TotalToken",
        "cost io.envoy.ai_gateway:half: total_tokens / 2u",
    ]
