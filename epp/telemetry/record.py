"""One finished request, as the metrics see it."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct):
    """Filled while a request passes through; times are monotonic seconds.

    `status` is the client's; 0 means that the stream ended before an answer. `reason` is the
    dropped reason, empty for a request that was not refused here.
    """

    model: str = ""
    target_model: str = ""
    response_model: str = ""
    operation: str = ""
    fairness_id: str = ""
    priority: int = 0
    streaming: bool = False
    status: int = 0
    reason: str = ""
    started_at: float = 0.0
    routed_at: float | None = None
    first_byte_at: float | None = None
    ended_at: float = 0.0
    ttft_s: float | None = None  # of a stream: from the headers of the request to the first token
    itl_s: float | None = None  # mean time from one token to the next
    request_bytes: int = 0
    response_bytes: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None
    endpoint: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the client was given an answer with a 2xx status."""
        return 200 <= self.status < 300

    @property
    def error_code(self) -> str | None:
        """What `request_error_total` calls this end; None for a good one."""
        if self.reason:
            return self.reason
        if self.status == 0:
            return "aborted"
        return str(self.status) if self.status >= 400 else None
