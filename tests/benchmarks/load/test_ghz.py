"""A conversation for ghz."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import ParseDict

from benchmarks.load import ghz
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from tests.e2e.picker import serving
from tests.server.envoy import body, destination, kinds
from tests.server.picker import Picker, pod

MODES = ["duplex", "buffered"]


def written(folder: Path, *arguments: str) -> tuple[list[pb.ProcessingRequest], dict[str, Any]]:
    ghz.main(["-o", str(folder), *arguments])
    data = json.loads((folder / "conversation.json").read_text())
    messages = [ParseDict(message, pb.ProcessingRequest()) for message in data]
    return messages, json.loads((folder / "ghz.json").read_text())


@pytest.mark.parametrize("mode", MODES)
def test_the_picker_understands_the_conversation_from_its_first_message_to_its_last(
    mode: str, tmp_path: Path
) -> None:
    messages, _ = written(tmp_path, "--mode", mode, "--body-bytes", "3000", "--chunks", "4")
    stream = Picker(pod("192.168.1.1:8000")).stream()

    turns = [stream.receive(message) for message in messages]

    replies = [reply for turn in turns for reply in turn]
    end = "*" if mode == "duplex" else ""  # a body that is given back has an end
    assert kinds(replies) == [
        *("request_headers", f"request_body{end}", "response_headers"),
        *(["response_body"] * 4),
        f"response_body{end}",  # in a message of its own
    ]
    assert destination(replies[0 if mode == "duplex" else 1]) == "192.168.1.1:8000"
    if mode == "duplex":
        assert len(body(replies[:2])) == 3000
        assert body(replies[2:]).count(b"\n\n") == 4 + 1  # [DONE]


def test_the_settings_name_files_that_are_there_and_the_method_that_the_protos_have(
    tmp_path: Path,
) -> None:
    _, settings = written(tmp_path, "--host", "127.0.0.1:1", "--total", "7", "--concurrency", "3")
    proto = Path(settings["proto"]).read_text()
    assert "service ExternalProcessor" in proto
    assert settings["call"] == "envoy.service.ext_proc.v3.ExternalProcessor/Process"
    assert Path(settings["data-file"]) == tmp_path / "conversation.json"
    assert (settings["host"], settings["total"], settings["concurrency"]) == ("127.0.0.1:1", 7, 3)


@pytest.mark.skipif(
    shutil.which("ghz") is None,
    reason="ghz is not installed: go install github.com/bojand/ghz/cmd/ghz@latest",
)
async def test_ghz_holds_the_conversation_with_a_picker(tmp_path: Path) -> None:
    async with serving(["--insecure", "--endpoint=http://127.0.0.1:9"], tmp_path) as picker:
        host = f"127.0.0.1:{picker.port}"
        written(tmp_path, "--host", host, "--total", "20", "--concurrency", "4", "--chunks", "3")
        command = ["ghz", "--config", str(tmp_path / "ghz.json"), "--format", "json"]
        run = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
        report = json.loads(run.stdout)
        assert report["statusCodeDistribution"] == {"OK": 20}
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"http://127.0.0.1:{picker.metrics_port}/metrics")).text
    counts = [line for line in page.splitlines() if line.startswith("llm_d_epp_request_total{")]
    assert [line.rpartition(" ")[2] for line in counts] == ["20"]
    tokens = [line for line in page.splitlines() if "request_output_tokens_sum{" in line]
    assert [line.rpartition(" ")[2] for line in tokens] == ["60.0"]
