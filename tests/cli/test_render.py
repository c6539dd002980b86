from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run

MODELS = "ai_gateway_self_hosted_models: [{name: llama, pool_name: llama, port: 8000}]\n"
ON = "ai_gateway_inference_pool_enabled: true\n"


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    return tmp_path / "cluster.yaml"


def test_a_file_for_the_gateway_and_one_for_each_pool_is_written(
    run: Run, cluster: Path, tmp_path: Path
) -> None:
    cluster.write_text(ON + MODELS)
    folder = tmp_path / "a" / "b"
    ended = run("render", str(cluster), "-o", str(folder))
    assert ended.status == 0
    assert ended.out.split() == [str(folder / "gateway.yaml"), str(folder / "llama.default.yaml")]
    kinds = [o["kind"] for o in yaml.safe_load_all((folder / "llama.default.yaml").read_text())]
    assert {"InferencePool", "AIGatewayRoute", "Deployment", "Service", "Role"} < set(kinds)


def test_without_a_folder_all_goes_to_the_terminal(run: Run, cluster: Path) -> None:
    cluster.write_text(ON + MODELS)
    ended = run("render", str(cluster))
    assert ended.status == 0
    assert len(list(yaml.safe_load_all(ended.out))) == 10
    assert ended.err == ""


@pytest.mark.parametrize("switch", ["", "ai_gateway_inference_pool_enabled: false\n"])
def test_what_is_not_enabled_is_not_rendered(
    run: Run, cluster: Path, tmp_path: Path, switch: str
) -> None:
    cluster.write_text(switch + MODELS)
    ended = run("render", str(cluster), "-o", str(tmp_path / "out"))
    assert (ended.status, ended.out) == (0, "")
    assert "nothing rendered" in ended.err
    assert not (tmp_path / "out").exists()


def test_options_for_others_are_named(run: Run, cluster: Path) -> None:
    cluster.write_text("ai_gateway_mcp_enabled: true\n" + ON + MODELS)
    ended = run("render", str(cluster))
    assert ended.status == 0
    assert ended.err == "note: ai_gateway_mcp_enabled is for others, and ignored\n"


def test_each_mistake_is_named_by_its_line(run: Run, cluster: Path) -> None:
    cluster.write_text(
        ON + MODELS.replace("port: 8000", "port: 0, engin: vllm") + "ai_gateway_nam: x\n"
    )
    ended = run("render", str(cluster))
    assert (ended.status, ended.out) == (2, "")
    first, second = ended.err.removeprefix("epp: ").splitlines()
    assert first.startswith(f"{cluster}:2: ")
    assert 'did you mean "engine"?' in first
    assert second.startswith(f"{cluster}:3: ")
    assert 'did you mean "ai_gateway_name"?' in second


def test_a_folder_that_cannot_be_written_is_a_mistake(run: Run, cluster: Path) -> None:
    cluster.write_text(ON + MODELS)
    ended = run("render", str(cluster), "-o", str(cluster))
    assert ended.status == 2
    assert f"{cluster}: cannot be written" in ended.err
