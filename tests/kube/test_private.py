from __future__ import annotations

from io import StringIO

from rich.console import Console

from epp.kube.credentials import Credential
from epp.kube.kubeconfig import User, Variable


def test_no_way_of_printing_shows_a_field() -> None:
    for value in (
        Credential(token="hidden", key=b"hidden"),
        User(token="hidden", password="hidden", client_key_data="hidden"),
        Variable("TOKEN", "hidden"),
    ):
        page = StringIO()
        Console(file=page).print(value, [value])
        for text in (repr(value), str(value), f"{value}", repr({"of": value}), page.getvalue()):
            assert "hidden" not in text
            assert type(value).__name__ in text
