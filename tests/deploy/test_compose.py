"""deploy/compose: what its containers are told, they understand."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from epp.config.settings import Settings
from tests.deploy.manifests import DEPLOY
from tests.deploy.picker_args import parsed
from tests.deploy.schemas import BOOLEAN, STRING, closed, many, named, one_of

FOLDER = DEPLOY / "compose"
STRING_LIST = many(STRING, 100)
SERVICE = closed(
    image=STRING,
    build=STRING,
    command=STRING_LIST,
    ports=many({"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}, 10),
    read_only=BOOLEAN,
    cap_drop=many(one_of("ALL"), 1),
    security_opt=many(one_of("no-new-privileges:true"), 1),
    stop_grace_period={"type": "string", "pattern": r"^\d+s$"},
    network_mode={"type": "string", "pattern": "^service:"},
    ipc=one_of("host"),
    volumes=STRING_LIST,
    environment={"type": "object", "additionalProperties": {"type": "string"}},
    healthcheck=named({"test!": STRING_LIST, "interval": STRING, "start_period": STRING}),
    depends_on={
        "oneOf": [
            STRING_LIST,
            {
                "type": "object",
                "additionalProperties": named({"condition!": one_of("service_healthy")}),
            },
        ]
    },
    deploy={"type": "object"},
)
FILE = named(
    {
        "name": STRING,
        "services!": {"type": "object", "additionalProperties": SERVICE},
        "volumes": {"type": "object"},
    }
)


def compose(name: str = "compose") -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


@pytest.mark.parametrize("name", ["compose", "vllm"])
def test_it_is_a_compose_file(name: str) -> None:
    jsonschema.validate(compose(name), FILE)


def test_the_picker_s_and_the_servers_flags_are_known() -> None:
    services = compose()["services"]
    commands = [s["command"] for s in services.values() if s["image"] == "epp"]

    picker, *servers = [parsed(command) for command in commands]
    hosts = [re.fullmatch(r"http://([a-z0-9-]+):(\d+)", url) for url in picker["endpoint"]]
    assert [(found[1], int(found[2])) for found in hosts if found] == [
        (server["name"], server["port"]) for server in servers
    ]
    assert {server["name"] for server in servers} <= services.keys()
    assert all(server["host"] == "0.0.0.0" for server in servers)


def test_ports_and_files_are_there() -> None:
    services = compose()["services"]
    published = {int(port.rsplit(":", 1)[1]) for port in services["picker"]["ports"]}
    (mounted,) = services["envoy"]["volumes"]
    source, target, _ = mounted.split(":")
    bootstrap = yaml.safe_load((FOLDER / source).read_text())
    (listener,) = bootstrap["staticResources"]["listeners"]

    assert published == {
        Settings().metrics_port,
        listener["address"]["socketAddress"]["portValue"],
    }
    assert target in services["envoy"]["command"]
    assert services["envoy"]["network_mode"] == "service:picker"
    assert (FOLDER / services["picker"]["build"] / "Dockerfile").is_file()


def test_the_picker_may_drain() -> None:
    picker = compose()["services"]["picker"]
    patience_s = int(picker["stop_grace_period"].removesuffix("s"))

    assert patience_s > parsed(picker["command"])["drain_timeout"]


def test_real_servers_take_the_simulated_ones_places() -> None:
    simulated, real = compose()["services"], compose("vllm")["services"]

    assert real.keys() == {name for name in simulated if name.startswith("server-")}
    for name, service in real.items():
        port = parsed(simulated[name]["command"])["port"]
        assert f"--port={port}" in service["command"]


def test_images_are_the_ones_of_the_sidecar() -> None:
    text = (DEPLOY / "sidecar" / "deployment.yaml").read_text()

    assert f"image: {compose()['services']['envoy']['image']}\n" in text
