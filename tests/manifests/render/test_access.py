from __future__ import annotations

from pathlib import Path

import yaml

from epp.manifests.render import access
from epp.manifests.render.yaml_text import write
from tests.manifests.render.sample import pool


def test_the_picker_may_read_and_nothing_else() -> None:
    rules = yaml.safe_load(write(access.role(pool())))["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"list", "watch"}
    assert not any("*" in rule["apiGroups"] + rule["resources"] for rule in rules)


def test_the_binding_joins_the_account_and_the_role() -> None:
    binding = yaml.safe_load(write(access.role_binding(pool())))
    account = yaml.safe_load(write(access.service_account(pool())))
    role = yaml.safe_load(write(access.role(pool())))
    assert binding["subjects"][0]["name"] == account["metadata"]["name"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["roleRef"]["kind"] == role["kind"]


def test_the_role_is_the_one_that_is_shipped() -> None:
    shipped = Path(__file__).parents[3] / "deploy" / "kubernetes" / "role.yaml"
    rendered = yaml.safe_load(write(access.role(pool())))
    assert rendered["rules"] == yaml.safe_load(shipped.read_text())["rules"]
