"""Print the field numbers of every message that the second independent translation holds."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.filters.http.ext_proc import v3 as ext_proc_filter
from envoy_data_plane.envoy.service.ext_proc import v3 as ext_proc
from envoy_data_plane.envoy.type import v3 as http
from envoy_data_plane.message_pool import default_message_pool

MODULES = {module.__name__ for module in (core, ext_proc_filter, ext_proc, http)}


def numbers_of(message: Any) -> dict[str, int]:
    return {f.name: f.metadata["betterproto"].number for f in dataclasses.fields(message)}


numbers = {
    url.rpartition("/")[2]: numbers_of(message)
    for message, url in default_message_pool.type_to_url.items()
    if message.__module__ in MODULES
}
json.dump(numbers, sys.stdout)
