from __future__ import annotations

import yaml

from epp.manifests.render import access
from epp.manifests.render.yaml_text import write
from tests.manifests.render.sample import pool


def test_the_picker_may_read_and_nothing_else() -> None:
    rules = yaml.safe_load(write(access.role(pool())))["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert not any("*" in rule["apiGroups"] + rule["resources"] for rule in rules)


def test_the_binding_joins_the_account_and_the_role() -> None:
    binding = yaml.safe_load(write(access.role_binding(pool())))
    account = yaml.safe_load(write(access.service_account(pool())))
    role = yaml.safe_load(write(access.role(pool())))
    assert binding["subjects"][0]["name"] == account["metadata"]["name"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["roleRef"]["kind"] == role["kind"]
