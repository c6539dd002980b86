"""How much of anything a peer may ask for, and why so much.

A legitimate proxy never comes near any of these. Each is what keeps one peer's strangeness, or
malice, from costing the others memory or time.
"""

from __future__ import annotations

import msgspec

from epp.http2.errors import ErrorCode, Http2ConnectionError

# --- what is held for a peer --------------------------------------------------------------------

# A block of headers is collected before it is decoded, and what it means may be longer than it is:
# one byte stands for a whole entry of the table. Envoy's ext_proc calls have about 300 bytes.
MAX_HEADER_BLOCK_BYTES = 32 * 1024
MAX_HEADER_LIST_BYTES = 64 * 1024
# A longer list costs its call, and must be read to its end, for the table. No client that was told
# the limit sends twice as much; one that does wants the reading to take long.
MAX_OVERLONG_LIST_BYTES = 2 * MAX_HEADER_LIST_BYTES
# Frames, not bytes: empty ones cost time and hold nothing (CVE-2024-27316 and its kin).
MAX_CONTINUATIONS = 32

# Windows so large that Envoy needs no leave to go on within a request: it then sends one HEADERS,
# the DATA and one RST_STREAM, and is sent no WINDOW_UPDATE. A body fits into one.
STREAM_WINDOW = 16 * 1024 * 1024
CONNECTION_WINDOW = 64 * 1024 * 1024

# A stream with more than this on its way to a peer that does not take it is not heard any more
# until it does: what it asks would only make the queue longer. As it is given no new credit
# meanwhile, the peer is held back too.
STREAM_QUEUE_BYTES = 256 * 1024
# What such streams have sent and nobody heard, of the process; a stream that adds to more ends.
UNHEARD_BYTES = 8 * 1024 * 1024
# All that is on its way to one peer. Beyond it, the stream that has waited longest ends, until
# there is one left: a single body that is given back whole may be as long as it likes.
CONNECTION_QUEUE_BYTES = 16 * 1024 * 1024

# Parts of messages whose rest is yet to come, of the process. A message that would exceed it ends
# its stream: held back instead, all of them could wait for each other.
ASSEMBLY_BYTES = 256 * 1024 * 1024

# Each open stream costs some ten KiB with its conversation. Beyond this many, of the process, new
# ones are refused, which a client may try again elsewhere.
MAX_STREAMS = 50_000

# --- how often ----------------------------------------------------------------------------------


class Rate(msgspec.Struct, frozen=True):
    """So many at once, and so many a second for ever."""

    of: str
    burst: int
    per_s: float


# Streams that end before they said anything (CVE-2023-44487). Envoy ends every stream by resetting
# it, but none before its first message is out, so nothing of its own counts here. The same holds
# for streams that the peer makes us reset by breaking rules (CVE-2025-8671).
SILENT_RESETS = Rate("streams that end before they began", 100, 20)
# Streams that end without an answer after they said something: clients that give up while their
# bodies are on their way, or while their requests wait. As many as that on one connection, for
# long, is more than a picker could have answered.
UNANSWERED_RESETS = Rate("streams that end without an answer", 20_000, 5_000)
# Lists of headers beyond their limit, which are for nothing, and milliseconds each.
OVERLONG_LISTS = Rate("lists of too many headers", 5, 1)
# A connection that is full: each refusal costs about as much as a stream.
REFUSED_STREAMS = Rate("streams beyond the limit", 10_000, 1_000)
# What is no gRPC call, or not one that can be served, is answered without a stream being opened.
ANSWERS_AT_ONCE = Rate("requests that are no calls", 20_000, 5_000)
# gRPC clients measure the way with a PING for each round trip while they receive.
PINGS = Rate("PING frames", 1_000, 100)
# gRPC clients change their window now and then; nobody changes more.
SETTINGS = Rate("SETTINGS frames", 100, 10)
# Advice that nobody follows: priorities (some clients give one for each stream), and frames of
# types that this protocol does not have.
ADVICE = Rate("frames that nobody follows", 2_000, 200)
# DATA with nothing in it that ends nothing. Some clients send one before the end.
EMPTY_DATA = Rate("empty DATA frames", 200, 20)
# Trailers for streams that have ended here a moment ago.
STRAY_HEADERS = Rate("headers for streams that are over", 1_000, 100)

# --- how long -----------------------------------------------------------------------------------

# From the connection to the end of the peer's first SETTINGS, and of its answer to ours.
PREFACE_S = 10.0
SETTINGS_ANSWER_S = 30.0
# A peer that is gone without a word is found in 40 s, which is also what grpcio is told.
KEEPALIVE_S = 30.0
KEEPALIVE_ANSWER_S = 10.0
# Between the announcement that a connection ends and its last stream, where no PING is answered.
GOAWAY_GRACE_S = 1.0
# A client that reads a streamed answer may pause; one that takes nothing for so long is gone.
STALLED_S = 300.0
# A connection without a stream. Envoy's own limit is an hour, so that it is the first to close.
IDLE_S = 2 * 3600.0


class Bucket:
    """Counts what flows in against what leaks out."""

    __slots__ = ("_at", "_level", "_rate")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._level = 0.0
        self._at = 0.0

    def add(self, now: float) -> bool:
        """Count one; whether that is still in order."""
        self._level = max(0.0, self._level - (now - self._at) * self._rate.per_s) + 1
        self._at = now
        return self._level <= self._rate.burst


class Patience:
    """What one connection has used up of what it may do."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[Rate, Bucket] = {}

    def count(self, rate: Rate, now: float) -> None:
        """Count one more; Http2ConnectionError if it is one too many."""
        bucket = self._buckets.get(rate)
        if bucket is None:
            bucket = self._buckets[rate] = Bucket(rate)
        if not bucket.add(now):
            raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, f"too many {rate.of}")


class Budget:
    """An amount that all connections of a process share."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def __repr__(self) -> str:
        return f"<Budget {self.used} of {self.limit}>"

    def take(self, amount: int) -> bool:
        """Use some of it, if there is as much."""
        if self.used + amount > self.limit:
            return False
        self.used += amount
        return True

    def give_back(self, amount: int) -> None:
        """Use it no longer."""
        self.used -= amount


class Capacity:
    """What a process has for all of its connections."""

    def __init__(self) -> None:
        self.streams = Budget(MAX_STREAMS)
        self.assembly = Budget(ASSEMBLY_BYTES)
        self.unheard = Budget(UNHEARD_BYTES)

    def __repr__(self) -> str:
        return f"<Capacity {self.streams}, {self.assembly}, {self.unheard}>"
