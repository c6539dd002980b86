"""Print the official descriptors; in a process of its own, as one pool cannot hold both sets."""

from __future__ import annotations

import sys

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2
from envoy.type.v3 import http_status_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

descriptors = FileDescriptorSet()
for module in (base_pb2, processing_mode_pb2, external_processor_pb2, http_status_pb2):
    module.DESCRIPTOR.CopyToProto(descriptors.file.add())
sys.stdout.buffer.write(descriptors.SerializeToString())
