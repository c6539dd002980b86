"""One way of choosing: filters, weighted scorers, a picker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.cheapness import Cheapness
from epp.scheduling.decision import Column, Decision, Exhausted, Refusal, Scores, Verdict
from epp.scheduling.errors import PluginError
from epp.scheduling.plugin import Filter, Picker, Scorer
from epp.scheduling.query import Query

if TYPE_CHECKING:
    from random import Random

P = TypeVar("P")


class Named(msgspec.Struct, Generic[P], frozen=True):
    """A plugin under the name that the configuration gives it."""

    name: str
    plugin: P
    weight: float = 1.0  # of a scorer


class Profile(msgspec.Struct, frozen=True):
    """Filters in order, then every scorer, then the picker."""

    name: str
    filters: tuple[Named[Filter], ...]
    scorers: tuple[Named[Scorer], ...]
    picker: Named[Picker]

    def needs(self) -> frozenset[str]:
        """Return the names of the producers whose facts are read here."""
        filters = (name for named in self.filters for name in named.plugin.needs())
        scorers = (name for named in self.scorers for name in named.plugin.needs())
        return frozenset((*filters, *scorers))

    def run(self, query: Query, endpoints: Sequence[Endpoint], rng: Random) -> Decision | Refusal:
        """Choose among `endpoints`."""
        candidates, verdicts, exhausted = self._filter(query, endpoints)
        if not candidates:
            return Refusal(exhausted, verdicts)
        columns = tuple([_column(named, query, candidates) for named in self.scorers])
        totals = _totals(columns, len(candidates))
        picked = self.picker.plugin.pick(candidates, totals, rng)
        if not picked:
            raise PluginError(f"{self.picker.name} picked none of {len(candidates)} endpoints")
        return Decision(
            at=query.now,
            profile=self.name,
            picked=tuple(picked),
            candidates=candidates,
            verdicts=verdicts,
            columns=columns,
            totals=totals,
            picker=self.picker.name,
        )

    def _filter(
        self, query: Query, endpoints: Sequence[Endpoint]
    ) -> tuple[tuple[Endpoint, ...], tuple[Verdict, ...], Exhausted]:
        candidates: Sequence[Endpoint] = endpoints
        verdicts = []
        for named in self.filters:
            kept = named.plugin.keep(query, candidates)
            verdicts.append(Verdict(named.name, _dropped(candidates, kept)))
            if len(kept) < len(candidates):  # else they are the same ones
                candidates = kept
            if not candidates:
                return (), tuple(verdicts), named.plugin.exhausted
        return tuple(candidates), tuple(verdicts), Exhausted.NO_ENDPOINTS


def _column(named: Named[Scorer], query: Query, candidates: Sequence[Endpoint]) -> Column:
    raw = named.plugin.score(query, candidates)
    if len(raw) != len(candidates):
        raise PluginError(f"{named.name} gave {len(raw)} scores for {len(candidates)} endpoints")
    if isinstance(raw, Cheapness):
        return Column(named.name, named.weight, raw, raw.details)
    details, within = None, False
    if isinstance(raw, Scores):
        details, within = raw.details, raw.bounded
    # Other people's scorers may leave the range; NaN compares false and becomes 0.
    bounded = tuple(raw)
    within = within or (min(raw) >= 0.0 and max(raw) <= 1.0)
    if not (within and sum(raw) >= 0.0):  # a sum finds a NaN
        bounded = tuple([s if 0.0 <= s <= 1.0 else float(s > 1.0) for s in raw])
    return Column(named.name, named.weight, bounded, details)


def _dropped(before: Sequence[Endpoint], after: Sequence[Endpoint]) -> tuple[str, ...]:
    if len(before) == len(after):
        return ()
    kept = {e.address for e in after}
    return tuple(e.address for e in before if e.address not in kept)


def _totals(columns: Sequence[Column], count: int) -> Sequence[float]:
    if not columns:
        return (0.0,) * count
    weight = columns[0].weight
    totals = columns[0].raw if weight == 1.0 else tuple([weight * s for s in columns[0].raw])
    for column in columns[1:]:
        weight = column.weight
        # As long as the first, each of them: `_column` has seen to it.
        totals = tuple([t + weight * s for t, s in zip(totals, column.raw)])  # noqa: B905
    return totals
