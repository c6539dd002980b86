from __future__ import annotations

from typing import Any

import typer
import yaml

from epp.cli.main import app
from epp.manifests.render import picker
from epp.manifests.render.yaml_text import write
from tests.manifests.render.sample import model, pool


def pod(**options: Any) -> Any:
    deployment = yaml.safe_load(write(picker.deployment(pool(model(**options)))))
    return deployment["spec"]["template"]["spec"]


def arguments(**options: Any) -> Any:
    return pod(**options)["containers"][0]["args"]


def test_the_picker_is_told_its_pool_and_its_limits() -> None:
    assert arguments(request_timeout="30m", buffer_limit="1Mi", namespace="team") == [
        "serve",
        "--pool=team/llama",
        "--max-body-bytes=1048576",
        "--drain-timeout=1800",
        "--log-format=json",
    ]


def test_the_picker_is_not_killed_before_it_has_drained() -> None:
    drained = pod(request_timeout="30m")
    settle_s = drained["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert drained["terminationGracePeriodSeconds"] > 1800 + settle_s


def test_the_picker_runs_without_privileges() -> None:
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_service_and_budget_select_the_pods() -> None:
    one = pool()
    labels = yaml.safe_load(write(picker.deployment(one)))["spec"]["template"]["metadata"]["labels"]
    budget = yaml.safe_load(write(picker.disruption_budget(one)))
    assert yaml.safe_load(write(picker.service(one)))["spec"]["selector"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels


def test_the_service_is_headless() -> None:
    assert yaml.safe_load(write(picker.service(pool())))["spec"]["clusterIP"] == "None"


def test_every_flag_is_one_of_the_pickers() -> None:
    serve = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    known = {name for option in serve.params for name in option.opts}
    command, *flags = arguments()
    assert command == "serve"
    assert {flag.partition("=")[0] for flag in flags} <= known
