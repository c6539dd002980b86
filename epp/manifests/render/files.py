"""Options to the texts of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from epp.manifests.render import access, picker, routing
from epp.manifests.render.options import ClusterOptions
from epp.manifests.render.pool import Pool, pools_of
from epp.manifests.render.yaml_text import Value, comment, write

_HEAD = "Rendered by epp: change the options and render again."


def render(options: ClusterOptions) -> dict[str, str]:
    """Return the text of each file by its name, in the order in which they are to be applied:
    what is for the whole Gateway, then a file for each pool. Nothing if pools are not enabled.
    """
    if not options.ai_gateway_inference_pool_enabled:
        return {}
    pools = pools_of(options)
    shared = routing.client_traffic_policy(pools[0])
    files = {"gateway.yaml": _text([shared], "What all pools share.")}
    for pool in pools:
        about = f"The pool {pool.name} in {pool.namespace}: {', '.join(pool.models)}."
        files[f"{pool.name}.{pool.namespace}.yaml"] = _text(_objects(pool), about)
    return files


def _objects(pool: Pool) -> list[Mapping[str, Value]]:
    return [
        access.service_account(pool),
        access.role(pool),
        access.role_binding(pool),
        picker.service(pool),
        picker.deployment(pool),
        picker.disruption_budget(pool),
        routing.inference_pool(pool),
        routing.route(pool),
        routing.backend_traffic_policy(pool),
    ]


def _text(objects: Iterable[Mapping[str, Value]], about: str) -> str:
    head = "".join(f"{line}\n" for line in comment(f"{about}\n{_HEAD}"))
    return head + "\n" + "---\n".join(write(one) for one in objects)
