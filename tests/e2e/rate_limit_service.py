"""A rate-limit service that keeps budgets. A program of its own: see `budgets.py`.

The official messages cannot be loaded beside the picker's own, which have the same names. A budget
is a descriptor with the key `budget`; its value is a name that ends in its size, `json-12`. Each
call is one line on standard output; the first line is the port.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from envoy.service.ratelimit.v3 import rls_pb2

SERVICE = "envoy.service.ratelimit.v3.RateLimitService"


class Budgets:
    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def should_rate_limit(self, request: Any, _: grpc.ServicerContext) -> Any:
        """Take the hits of a call off its budget; one that is used up takes no more requests."""
        (descriptor,) = request.descriptors
        name = next(entry.value for entry in descriptor.entries if entry.key == "budget")
        hits = descriptor.hits_addend.value
        over = self.spent.get(name, 0) >= int(name.rpartition("-")[2])
        self.spent[name] = self.spent.get(name, 0) + hits
        say(json.dumps({"budget": name, "hits": hits, "over": over}))
        verdict = rls_pb2.RateLimitResponse
        return verdict(overall_code=verdict.OVER_LIMIT if over else verdict.OK)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    method = grpc.unary_unary_rpc_method_handler(
        Budgets().should_rate_limit,
        request_deserializer=rls_pb2.RateLimitRequest.FromString,
        response_serializer=rls_pb2.RateLimitResponse.SerializeToString,
    )
    handlers = grpc.method_handlers_generic_handler(SERVICE, {"ShouldRateLimit": method})
    server.add_generic_rpc_handlers([handlers])
    say(str(server.add_insecure_port("127.0.0.1:0")))
    server.start()
    sys.stdin.read()  # until the tests end


if __name__ == "__main__":
    main()
