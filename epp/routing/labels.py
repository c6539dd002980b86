"""Under which names a request is counted, and for how much until the server tells."""

from __future__ import annotations

import msgspec


class Labels(msgspec.Struct, frozen=True):
    """What the metrics tell requests apart by."""

    model: str = ""  # as the client, or its gateway, wrote it
    target_model: str = ""  # that which serves it
    fairness_id: str = ""
    priority: int = 0  # negative: may be shed first
    operation: str = ""  # as `gen_ai.operation.name` has it
    prompt_tokens: int = 0  # an estimate; the server's count comes with the answer
