"""Envoy's configuration: equal to AI Gateway's where it should be, and accepted by Envoy."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

from epp.demo.bootstrap import BootstrapOptions, Mode, bootstrap, laptop, render
from epp.demo.envoy import binary

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/data/envoy/ai-gateway.yaml"
ELSEWHERE = ROOT.parent / "shared/envoy/ai-gateway"
BODY = {"duplex": "FULL_DUPLEX_STREAMED", "buffered": "BUFFERED"}
SHORT_NAMES = {  # of AI Gateway's, longest first
    "envoy.clusters.endpointpicker_pool-a_default_ext_proc": "picker",
    "envoy.filters.http.ext_proc/endpointpicker/pool-a_default_ext_proc": (
        "envoy.filters.http.ext_proc/picker"
    ),
    "httproute/default/r/rule/0/match/0/*": "pool",
    "httproute/default/r/rule/1/match/0/*": "plain",
    "httproute/default/r/rule/0": "pool",
    "default/gw/http": "http",
    "http-10080": "http",
}
COMBINATIONS = [
    ("duplex", False),
    ("duplex", True),
    ("buffered", False),
    ("buffered", True),
]
LAPTOP = laptop(
    listen_host="127.0.0.1", listen_port=8080, admin_port=9901, picker_port=9002, mode="duplex"
)


def static_resources(options: BootstrapOptions) -> Any:
    return msgspec.json.decode(render(options))["staticResources"]


def connection_manager(options: BootstrapOptions) -> Any:
    (listener,) = static_resources(options)["listeners"]
    return listener["filterChains"][0]["filters"][0]["typedConfig"]


@pytest.mark.parametrize(("mode", "override"), COMBINATIONS)
def test_the_defaults_are_what_ai_gateway_programs(mode: Mode, override: bool) -> None:
    text = GOLDEN.read_text().replace("BODY", BODY[mode]).replace("OVERRIDE", str(override))

    built = bootstrap(
        BootstrapOptions(mode=mode, allow_mode_override=override, plain_ports=(8000,))
    )

    assert built == Bootstrap.from_dict(yaml.safe_load(text))


@pytest.mark.skipif(
    not ELSEWHERE.is_dir(),
    reason="AI Gateway's own files are not in this repository; the golden one is always tested",
)
@pytest.mark.parametrize(("mode", "override"), COMBINATIONS)
def test_the_golden_file_says_what_the_gateway_s_own_files_say(mode: Mode, override: bool) -> None:
    text = (ELSEWHERE / f"{mode}-override-{str(override).lower()}.yaml").read_text()
    for name, short in SHORT_NAMES.items():
        text = text.replace(name, short)
    theirs = Bootstrap.from_dict(without_metadata(yaml.safe_load(text)))

    ours = bootstrap(BootstrapOptions(mode=mode, allow_mode_override=override, plain_ports=(8000,)))

    assert ours == theirs


def without_metadata(node: Any) -> Any:
    """Without the gateway's notes to itself, which Envoy does not read."""
    match node:
        case Mapping():
            return {k: without_metadata(v) for k, v in node.items() if k != "metadata"}
        case list():
            return [without_metadata(item) for item in node]
        case _:
            return node


@pytest.mark.envoy
@pytest.mark.parametrize(
    "options",
    [
        BootstrapOptions(plain_ports=(8000,)),
        BootstrapOptions(mode="buffered", allow_mode_override=True, picker_filters=2),
        BootstrapOptions(accept_trailers=True, picker_tls=False),
        LAPTOP,
        msgspec.structs.replace(
            LAPTOP, mode="buffered", access_log="/dev/null", plain_ports=(8000,)
        ),
        msgspec.structs.replace(LAPTOP, listen_host="::1"),
    ],
    ids=["ai-gateway", "twice", "trailers", "laptop", "laptop-buffered", "laptop-ipv6"],
)
def test_envoy_accepts_every_flavour(options: BootstrapOptions, tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_bytes(render(options))

    result = subprocess.run(
        [binary(), "--mode", "validate", "--config-path", config, "--log-level", "error"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (result.returncode, result.stderr.strip()) == (0, "")


def test_a_laptop_drops_the_headers_of_gateways_before_routing_and_filters() -> None:
    (extension,) = connection_manager(LAPTOP)["earlyHeaderMutationExtensions"]

    removals = extension["typedConfig"]["mutations"]

    assert [r["remove"] for r in removals] == ["x-gateway-destination-endpoint", "x-ai-eg-model"]


def test_a_laptop_lets_a_stream_run_as_long_as_something_moves() -> None:
    (route,) = connection_manager(LAPTOP)["routeConfig"]["virtualHosts"][0]["routes"]

    assert route["route"]["timeout"] == "0s"
    assert route["route"]["idleTimeout"] == "900s"


def test_a_laptop_receives_the_picker_s_metadata() -> None:
    picker = connection_manager(LAPTOP)["httpFilters"][0]["typedConfig"]

    assert picker["metadataOptions"]["receivingNamespaces"] == {"untyped": ["envoy.lb"]}


def test_a_laptop_holds_more_requests_than_envoy_s_default() -> None:
    for cluster in static_resources(LAPTOP)["clusters"]:
        (limits,) = cluster["circuitBreakers"]["thresholds"]
        assert limits["maxRequests"] > 1024
