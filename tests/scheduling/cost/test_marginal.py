from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.cost.marginal import PARTS, MarginalCost, Prices
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.depths import Depths
from epp.scheduling.prefix.matches import PrefixMatches
from tests.scheduling.books import board

NOW = 50.0
A, B = Endpoint("a:1"), Endpoint("b:1")


def workload(*standings: Standing, **rest: object) -> Workload:
    named = dict(zip(("a:1", "b:1"), standings, strict=False))
    told: dict[str, object] = {"prompt": 8000.0, "output": 300.0, **rest}
    return Workload(board(named), **told)  # type: ignore[arg-type]


def cost(load: Workload, matches: PrefixMatches | None = None, **prices: float) -> MarginalCost:
    return MarginalCost(load, matches or PrefixMatches(), NOW, Prices(**prices))


def test_a_queue_costs_its_wait() -> None:
    load = workload(Standing(at=NOW, queued_s=1.5), Standing(at=NOW))
    one, other = cost(load).costs([A, B])
    assert one - other == pytest.approx(1.5)


def test_what_is_cached_saves_its_prefill() -> None:
    load = workload(Standing(at=NOW), Standing(at=NOW))
    matches = PrefixMatches(range(8), Cut(1000), {"a:1": 4}, {}, 8000.0)
    one, other = cost(load, matches).costs([A, B])
    assert other - one == pytest.approx(load.prefill_s(0.0) - load.prefill_s(4000.0))


def test_an_affinity_that_is_not_trusted_saves_less() -> None:
    load = workload(Standing(at=NOW), Standing(at=NOW))
    matches = PrefixMatches(range(8), Cut(1000), {"a:1": 8, "b:1": 8}, {"a:1": 0.1}, 8000.0)
    one, other = cost(load, matches).costs([A, B])
    assert one > 3 * other


def test_a_busy_fleet_holds_on_to_its_caches_more_firmly() -> None:
    idle, busy = (workload(Standing(at=NOW), Standing(at=NOW), dispatched=d) for d in (0.0, 0.8))
    matches = PrefixMatches(range(8), Cut(1000), {"a:1": 8}, {}, 8000.0)

    def saved(load: Workload) -> float:
        one, other = cost(load, matches).costs([A, B])
        return other - one

    assert saved(busy) > 4 * saved(idle)


def test_a_full_cache_costs_the_wait_for_its_memory() -> None:
    load = workload(Standing(at=NOW, room=3000.0, freed=1000.0), Standing(at=NOW, room=9000.0))
    one, other = cost(load).costs([A, B])
    assert one - other == pytest.approx(5.0)


def test_what_decodes_slowly_costs_a_share_of_the_answer_whatever_the_prefill_takes() -> None:
    load = workload(Standing(at=NOW, token_s=0.03, speed=2.0), Standing(at=NOW, speed=2.0))
    one, other = cost(load).costs([A, B])
    assert one - other == pytest.approx(load.ratio * 0.15 * load.output * 0.03)


def test_a_slow_endpoint_costs_more_by_its_factor() -> None:
    load = workload(Standing(at=NOW, queued_s=1.0, speed=2.0), Standing(at=NOW, queued_s=1.0))
    one, other = cost(load).costs([A, B])
    assert one == pytest.approx(2 * other)


def test_an_endpoint_that_warms_up_costs_up_to_four_times_as_much() -> None:
    load = workload(Standing(at=NOW), Standing(at=NOW), ramps={"a:1": 0.0})
    one, other = cost(load).costs([A, B])
    assert one == pytest.approx(4 * other)


standings = st.builds(
    Standing,
    at=st.floats(0.0, NOW),
    queued_s=st.floats(0.0, 100.0),
    drain=st.floats(0.1, 5.0),
    requests=st.integers(0, 300),
    stretch=st.floats(1.0, 2.0),
    token_s=st.floats(0.001, 0.2),
    speed=st.floats(0.2, 6.0),
    room=st.floats(-1e5, 1e6),
    freed=st.floats(1.0, 1e5),
)


@settings(deadline=None)
@given(
    pool=st.lists(standings, min_size=2, max_size=2),
    prompt=st.floats(1.0, 100_000.0),
    dispatched=st.floats(0.0, 5.0),
    depth=st.integers(0, 8),
    doubted=st.booleans(),
    warm=st.floats(0.0, 1.0),
)
def test_the_terms_that_are_shown_are_those_that_were_added_up(
    *,
    pool: list[Standing],
    prompt: float,
    dispatched: float,
    depth: int,
    doubted: bool,
    warm: float,
) -> None:
    load = workload(*pool, prompt=prompt, dispatched=dispatched, ratio=1.3, ramps={"b:1": warm})
    trust = {"a:1": 0.5} if doubted else {}
    matches = PrefixMatches(range(8), Cut(100), {"a:1": depth} if depth else {}, trust, 900.0)
    found = cost(load, matches)
    for endpoint, total in zip([A, B], found.costs([A, B]), strict=True):
        terms = found.terms(endpoint)
        assert sum(terms[part] for part in PARTS) == pytest.approx(total, rel=1e-6, abs=1e-9)


def told(address: str, *loaded: str, at: float = NOW) -> Endpoint:
    return Endpoint(address, load=Load(at, loaded=frozenset(loaded)))


def test_a_model_that_is_not_in_memory_costs_the_time_to_load_it_however_old_the_reading_is() -> (
    None
):
    load = workload(Standing(at=NOW), Standing(at=NOW), models_differ=True)
    pool = [told("a:1", "other"), told("b:1", "llama", at=NOW - 600.0), Endpoint("c:1")]
    found = MarginalCost(load, PrefixMatches(), NOW, Prices(load=7.0), "llama")
    one, other, unknown = found.costs(pool)
    assert one - other == pytest.approx(7.0)
    assert unknown == pytest.approx(other)
    assert [found.terms(e)["load_s"] for e in pool] == [7.0, 0.0, 0.0]
    assert found.terms(pool[0])["ttft_s"] == pytest.approx(found.terms(pool[1])["ttft_s"] + 7.0)


@pytest.mark.parametrize("ramps", [{}, {"a:1": 0.2}])
def test_the_terms_of_a_server_that_loads_add_up_to_its_cost(ramps: dict[str, float]) -> None:
    load = workload(Standing(at=NOW, queued_s=1.0), models_differ=True, ramps=ramps, ratio=2.0)
    found = MarginalCost(load, PrefixMatches(), NOW, Prices(), "llama")
    endpoint = told("a:1")
    (total,) = found.costs([endpoint])
    terms = found.terms(endpoint)
    assert terms["load_s"] == 5.0
    assert sum(terms[part] for part in PARTS) == pytest.approx(total)


def test_a_server_that_lists_its_models_without_this_one_is_as_far_as_many_that_load_it() -> None:
    load = workload(Standing(at=NOW), Standing(at=NOW), models_differ=True)
    listing = Endpoint("a:1", load=Load(NOW, models=frozenset({"other"})))
    serving = Endpoint("b:1", load=Load(NOW - 600.0, models=frozenset({"llama", "other"})))
    pool = [listing, serving, Endpoint("c:1", load=Load(NOW)), Endpoint("d:1")]

    def load_s(model: str) -> list[float]:
        found = MarginalCost(load, PrefixMatches(), NOW, Prices(load=2.0), model)
        return [found.terms(endpoint)["load_s"] for endpoint in pool]

    assert load_s("llama") == [40.0, 0.0, 0.0, 0.0]
    assert load_s("unknown") == [40.0, 40.0, 0.0, 0.0]
    assert load_s("") == [0.0, 0.0, 0.0, 0.0]  # the request names none


def test_a_server_whose_metrics_have_died_costs_more_by_the_price_of_silence() -> None:
    load = workload(Standing(at=NOW), Standing(at=NOW), silent=frozenset({"a:1"}))
    found = MarginalCost(load, PrefixMatches(), NOW, Prices(silence=7.0), "llama")
    one, other = found.costs([A, B])
    assert one - other == pytest.approx(7.0)
    assert [found.terms(e)["silence_s"] for e in (A, B)] == [7.0, 0.0]
    assert found.terms(A)["ttft_s"] == found.terms(B)["ttft_s"]


@pytest.mark.parametrize("trust", [{}, {"a:1": 0.5, "c:1": 0.1, "gone:1": 0.2}])
@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(
    "depths",
    [
        [0] * 9,
        [5] + [0] * 8,  # few match
        [5] * 9,  # all begin alike
        [5] * 7 + [7, 0],
        [1, 2, 3, 4, 5, 6, 7, 8, 0],
    ],
)
def test_who_matches_how_deep_changes_no_sum(
    depths: list[int], in_order: bool, grouped: bool, trust: dict[str, float]
) -> None:
    pool = [Endpoint(f"{name}:1") for name in "abcdefghi"]
    standings = {e.address: Standing(requests=n, step_s=0.01) for n, e in enumerate(pool)}
    load = Workload(board(standings), prompt=8000.0, output=300.0)
    matched: dict[str, int] | Depths
    matched = {e.address: depth for e, depth in zip(pool, depths, strict=True) if depth}
    matched["gone:1"] = 8
    matched = _grouped(matched) if grouped else matched
    priced = cost(load, PrefixMatches(range(8), Cut(1000), matched, trust, 8000.0))
    asked = pool if in_order else pool[::-1]
    summed = [sum(priced.terms(one)[part] for part in PARTS) for one in asked]
    assert priced.costs(asked) == pytest.approx(summed)
    assert priced.costs([]) == []


def _grouped(matched: dict[str, int]) -> Depths:
    found = Depths()
    for depth in sorted(set(matched.values())):
        # As the index has it: who has more has less, too.
        found.add(frozenset(a for a, most in matched.items() if most >= depth), depth)
    return found
