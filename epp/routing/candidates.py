"""The endpoints that a request may go to."""

from __future__ import annotations

from collections.abc import Iterable

from epp.exchange.events import Refused
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing import refusals, subset
from epp.routing.intent import Intent
from epp.routing.models import having


class Candidates:
    """Those of the pool that the proxy and the model table allow, as they are when it is asked.

    `eligible` is the proxy's subset of the pool, None where it gave none.
    """

    __slots__ = ("_eligible", "_intent", "_store")

    def __init__(self, store: Store, intent: Intent, eligible: Iterable[str] | None) -> None:
        self._store = store
        self._intent = intent
        self._eligible = eligible

    def find(self) -> tuple[Endpoint, ...] | Refused:
        """Return them; why there are none, if the pool has endpoints."""
        endpoints, labels = self._store.snapshot().endpoints, self._intent.endpoint_labels
        if self._eligible is not None and endpoints:
            endpoints = tuple(subset.inside(endpoints, self._eligible))
            if not endpoints:
                return refusals.NOBODY_ELIGIBLE
        if labels and endpoints:
            endpoints = tuple(having(labels, endpoints))
            if not endpoints:
                return refusals.unlabelled(self._intent.labels.model)
        return endpoints

    def there(self) -> tuple[Endpoint, ...]:
        """Return them, for a request that goes on waiting if there are none."""
        found = self.find()
        return () if isinstance(found, Refused) else found
