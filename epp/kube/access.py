"""Where an API server is, and how to be let in."""

from __future__ import annotations

import msgspec

from epp.kube.credentials import Credentials
from epp.kube.trust import Trust


class Access(msgspec.Struct, frozen=True):
    """One API server; `origin` says where this is from, `namespace` is the one to be in."""

    server: str
    credentials: Credentials
    trust: Trust = Trust()
    namespace: str = "default"
    origin: str = ""
