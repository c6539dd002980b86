"""Let a test say where its request goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.query import Query
from epp.scheduling.registry import filters

HEADER = "test-epp-endpoint-selection"


@filters("header-based-testing-filter")
class HeaderBasedTestingFilter(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"
):
    """Keep the endpoints that the header `test-epp-endpoint-selection` names; none without it.

    For conformance tests only: whoever can send the header chooses the endpoint.
    """

    exhausted: ClassVar[Exhausted] = Exhausted.NO_ENDPOINTS

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return those named by `ip:port`, or by `ip` for every port of it."""
        named = {part.strip() for part in query.headers.get(HEADER, "").split(",")}
        return [e for e in endpoints if not named.isdisjoint(_names(e.address))]


def _names(address: str) -> tuple[str, ...]:
    host = address.rpartition(":")[0]
    return address, host, host.strip("[]")
