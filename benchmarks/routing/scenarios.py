"""What can go wrong in a fleet."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from benchmarks.routing.case import Case
from benchmarks.routing.clients import Clients
from benchmarks.routing.fleet import FleetModel
from benchmarks.routing.measure import Targets
from benchmarks.routing.pod import PodModel

_CHANGE_S = 240.0  # when a pod joins or dies: a third of the half trace at 7.6 requests/s


def _fleet(case: Case, **changes: object) -> Case:
    return structs.replace(case, fleet=structs.replace(case.fleet, **changes))


def _steady(case: Case) -> Case:
    """Arrivals spread evenly over the trace's ticks of 3 s; metrics every 50 ms."""
    return case


def _bursts(case: Case) -> Case:
    """All requests of a tick at once."""
    return structs.replace(case, smooth=False)


def _stale(scrape_s: float) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        # Whoever scrapes seldom tells the picker to believe what is old.
        older = max(case.max_load_age_s, 2 * scrape_s)
        return structs.replace(_fleet(case, scrape_s=scrape_s), max_load_age_s=older)

    change.__doc__ = f"""Metrics every {scrape_s:g} s, believed for {max(2.0, 2 * scrape_s):g} s."""
    return change


def _distrusted(case: Case) -> Case:
    """Metrics every 30 s, believed for 2 s: mostly there are none."""
    return _fleet(case, scrape_s=30.0)


def _mixed(case: Case) -> Case:
    """Every other pod takes twice as long for each step; 3/4 of the load."""
    pods = tuple(
        structs.replace(pod, slowness=1.0 + n % 2) for n, pod in enumerate(case.fleet.pods)
    )
    return _fleet(structs.replace(case, qps=case.qps * 0.75), pods=pods)


def _cold(case: Case) -> Case:
    """The last two pods join, empty, after 240 s; 9/10 of the load."""
    count = len(case.fleet.pods)
    late = dict.fromkeys(range(count - 2, count), _CHANGE_S)
    return _fleet(structs.replace(case, qps=case.qps * 0.9), joins_at=late)


def _death(case: Case) -> Case:
    """A pod dies after 240 s and is not replaced; 9/10 of the load."""
    return _fleet(structs.replace(case, qps=case.qps * 0.9), dies_at={0: _CHANGE_S})


def _estimates(case: Case) -> Case:
    """Characters per token differ by up to 30 % from one conversation to the next."""
    return structs.replace(case, spread=0.3)


def _characters(count: float) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        return structs.replace(case, characters=count)

    change.__doc__ = f"""{count:g} characters per token, where pickers expect 4."""
    return change


def _coefficients(factor: float) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        return structs.replace(case, coefficients=factor)

    change.__doc__ = f"""The picker believes that work takes {factor:g} times as long as it does."""
    return change


def _small_steps(case: Case) -> Case:
    """Pods compute at most 2048 tokens in a step."""
    pods = tuple(structs.replace(pod, max_batched_tokens=2048) for pod in case.fleet.pods)
    return _fleet(case, pods=pods)


def _unobserved(case: Case) -> Case:
    """The picker sees no answers: no first tokens, no times, no usage; only that they end."""
    return _fleet(case, observed=False)


def _targets(ttft_s: float, tpot_s: float) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        return structs.replace(case, targets=Targets(ttft_s, tpot_s))

    change.__doc__ = f"""TTFT {ttft_s:g} s and {tpot_s * 1000:g} ms a token are asked for."""
    return change


def _long_prompts(case: Case) -> Case:
    """Only prompts of 8,000 tokens and more; 0.1 s more for each 1,000; half the load."""
    targets = structs.replace(case.targets, ttft_token_s=1e-4)
    return structs.replace(case, targets=targets, shortest_prompt=8000, qps=case.qps / 2)


# A tenth of the pool is each one's share; nine of them ask for two thirds of theirs.
_GREEDY, _TIMES = "greedy", 10.0
_OTHERS = tuple(f"flow {n}" for n in range(1, 10))
_MODEST = 2 / 3


def _crowd(case: Case, absent: frozenset[str]) -> Case:
    total = len(_OTHERS) * _MODEST + _TIMES
    flows = {_GREEDY: _TIMES / total, **dict.fromkeys(_OTHERS, _MODEST / total)}
    return structs.replace(
        case, qps=case.qps * total / _TIMES, clients=Clients(flows, absent=absent)
    )


def _greedy(case: Case) -> Case:
    """Nine flows ask for 2/3 of a tenth of the load each, one for all of it: 1.6 times the load."""
    return _crowd(case, frozenset())


def _greedy_absent(case: Case) -> Case:
    """The same nine flows without the tenth: 0.6 times the load."""
    return _crowd(case, frozenset([_GREEDY]))


def _priorities(case: Case) -> Case:
    """Three conversations of ten have priority 1, the others -1: these may be refused."""
    return structs.replace(case, clients=Clients(priorities={1: 0.3, -1: 0.7}))


def _priority_alone(case: Case) -> Case:
    """The three conversations of ten without the others."""
    clients = Clients({"high": 0.3, "low": 0.7}, absent=frozenset(["low"]))
    return structs.replace(case, clients=clients)


def _priorities_long(case: Case) -> Case:
    """The same, with 0.1 s more to the first token for each 1,000 tokens of a prompt."""
    targets = structs.replace(case.targets, ttft_token_s=1e-4)
    return structs.replace(_priorities(case), targets=targets)


SCENARIOS: dict[str, Callable[[Case], Case]] = {
    "steady": _steady,
    "bursts": _bursts,
    "stale-200ms": _stale(0.2),
    "stale-1s": _stale(1.0),
    "stale-5s": _stale(5.0),
    "stale-30s": _stale(30.0),
    "distrusted-30s": _distrusted,
    "mixed-speeds": _mixed,
    "cold-start": _cold,
    "pod-death": _death,
    "tokens-off-30%": _estimates,
    "tokens-2.8-characters": _characters(2.8),
    "tokens-5.2-characters": _characters(5.2),
    "coefficients-0.5": _coefficients(0.5),
    "coefficients-2": _coefficients(2.0),
    "small-steps": _small_steps,
    "unobserved": _unobserved,
    "targets-30ms-1s": _targets(1.0, 0.03),
    "targets-80ms-2s": _targets(2.0, 0.08),
    "targets-100ms-5s": _targets(5.0, 0.1),
    "long-prompts": _long_prompts,
    "greedy-flow": _greedy,
    "greedy-flow-absent": _greedy_absent,
    "priorities": _priorities,
    "priority-alone": _priority_alone,
    "priorities-by-length": _priorities_long,
}


def fleet_of(pods: int, scrape_s: float) -> FleetModel:
    """Return a fleet of equal pods."""
    return FleetModel((PodModel(),) * pods, scrape_s)
