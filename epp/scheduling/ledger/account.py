"""The books of one endpoint."""

from __future__ import annotations

from math import inf, sqrt

from epp.pool.load import Load
from epp.scheduling.ledger.coefficients import Coefficients
from epp.scheduling.ledger.decaying import DecayingSum
from epp.scheduling.ledger.reconciled import Reconciled
from epp.scheduling.ledger.speeds import Speed
from epp.scheduling.ledger.standing import Standing

_USABLE = 0.95  # of the KV cache: fuller, a server begins to throw requests out
_NEWEST = 0.1  # the weight of the last prompt in their mean
_FREED_PERIOD_S = 10.0
_GIVEN_PERIOD_S = 20.0
_MOST_BUSY = 0.85  # with prefill, of a server's time: beyond it the queue tells more
_MISSED = 3  # readings: one may be late, and two by chance
_SLOWEST_TURNOVER_S = 40.0  # of a whole cache, assumed where nothing has ended lately


class Held:
    """One request at one endpoint, from its pick to its end."""

    __slots__ = (
        "account",
        "at",
        "chars",
        "learned",
        "output",
        "predicted_s",
        "prompt",
        "uncached",
        "work_s",
    )

    def __init__(
        self,
        account: Account,
        *,
        at: float,
        chars: int,
        prompt: float,
        output: float,
        work_s: float,
        uncached: float = 0.0,
    ) -> None:
        self.account = account
        self.at = at
        self.chars = chars
        self.prompt = prompt  # tokens
        self.output = output  # tokens that are expected
        self.work_s = work_s  # of prefill
        self.uncached = uncached  # tokens of the prompt
        self.predicted_s = 0.0  # to the first token, by the coefficients alone
        self.learned = False

    def __repr__(self) -> str:
        return f"<Held {self.prompt:.0f} tokens, {self.work_s:.3f} s of prefill>"


class Account:
    """The requests of one endpoint: what waits for its first token, and what decodes.

    What waits is worked off first come, first served, a second of it in a second (more or less, if
    the endpoint is known to be faster or slower), whether or not anybody sees the first tokens; a
    first token or an end strikes out what is left of its request. The account of an endpoint that
    left stays with its requests and is nobody else's: one that comes back begins a new one.
    """

    __slots__ = (
        "_at",
        "_coefficients",
        "_freed",
        "_given",
        "_interval_s",
        "_mean_prompt",
        "_open",
        "_output",
        "_prompt",
        "_to_compute",
        "_unanswered",
        "_waiting",
        "_waiting_s",
        "capacity",
        "generation",
        "load",
        "others",
        "speed",
        "standing",
    )

    def __init__(self, generation: int, coefficients: Coefficients, now: float) -> None:
        self.generation = generation
        self.load: Load | None = None  # the last that was looked at
        self.capacity = 0.0
        self.speed = Speed()
        self.others = Reconciled()
        self._coefficients = coefficients
        self._at = now
        self._open: set[Held] = set()
        self._waiting: dict[Held, float] = {}  # prefill that is left, first come first
        self._waiting_s = 0.0
        self._unanswered: set[Held] = set()  # whatever the clock says of their prefill
        self._to_compute = 0.0
        self._prompt = 0.0
        self._output = 0.0
        self._mean_prompt = 0.0
        self._interval_s = 0.0  # between the last two readings
        self._freed = DecayingSum(_FREED_PERIOD_S)
        self._given = DecayingSum(_GIVEN_PERIOD_S)
        self.standing = self._stand(1.0)

    def __repr__(self) -> str:
        return f"<Account {len(self._open)} requests, {self._waiting_s:.2f} s waiting>"

    def __len__(self) -> int:
        return len(self._open)

    @property
    def waiting(self) -> int:
        """The requests of this picker whose prefill is not worked off yet."""
        return len(self._waiting)

    @property
    def told(self) -> int:
        """The requests that the endpoint itself told of, when it was last looked at."""
        load = self.load
        return 0 if load is None else max(0, load.running or 0) + max(0, load.waiting or 0)

    def open(self, held: Held, ratio: float, now: float) -> None:
        """Reserve; `ratio` is what the pool takes as a multiple of what the coefficients say."""
        self._work_off(now)
        held.predicted_s = self._predicted_s(held)
        self._open.add(held)
        self._waiting[held] = held.work_s
        self._waiting_s += held.work_s
        self._unanswered.add(held)
        self._to_compute += held.uncached
        self._given.add(held.work_s, now)
        self._prompt += held.prompt
        self._output += held.output
        weight = _NEWEST if self._mean_prompt else 1.0
        self._mean_prompt += (held.prompt - self._mean_prompt) * weight
        self.others.ours(len(self._open))
        self.standing = self._stand(ratio)

    def answered(self, held: Held, ratio: float, now: float) -> None:
        """Strike out the prefill of a request; it decodes from now on."""
        self._work_off(now)
        self._answer(held)
        self.standing = self._stand(ratio)

    def close(self, held: Held, ratio: float, freed: float, now: float) -> None:
        """Give back what a request held; `freed` tokens of the KV cache."""
        if held not in self._open:
            return
        self._work_off(now)
        self._answer(held)
        self._open.discard(held)
        self._freed.add(freed, now)
        self._prompt -= held.prompt
        self._output -= held.output
        if not self._open:  # what rounding leaves behind must not pile up
            self._prompt = self._output = 0.0
        self.others.ours(len(self._open))
        self.standing = self._stand(ratio)

    def assume(self, others: int, ratio: float) -> None:
        """Count on so many requests of other clients, until the endpoint tells."""
        self.others.assume(others)
        self.standing = self._stand(ratio)

    def silent(self, last: Load, max_age_s: float, now: float) -> bool:
        """Whether several readings are missing since the last one of the endpoint.

        An endpoint that is read seldom is not silent in between.
        """
        return now - last.at > max(max_age_s, _MISSED * self._interval_s)

    def read(self, load: Load, ratio: float, now: float) -> None:
        """Compare the books with what the endpoint says of itself."""
        if self.load is not None:
            self._interval_s = load.at - self.load.at
        self.load = load
        if load.blocks and load.block_size:
            self.capacity = float(load.blocks * load.block_size)
        restarted = self.others.read(load)
        self._work_off(now)
        if restarted:
            self._waiting.clear()
            self._unanswered.clear()
            self._waiting_s = self._to_compute = 0.0
        self.standing = self._stand(ratio)

    def _work_off(self, now: float) -> None:
        if now <= self._at:
            return
        budget = (now - self._at) * self.standing.drain
        self._at = now
        while budget > 0.0 and self._waiting:
            held, left = next(iter(self._waiting.items()))
            if left > budget:
                self._waiting[held] = left - budget
                self._waiting_s -= budget
                break
            budget -= left
            self._strike(held)

    def _answer(self, held: Held) -> None:
        """Take note that the first token was seen, or never will be."""
        self._strike(held)
        if held in self._unanswered:
            self._unanswered.discard(held)
            self._to_compute -= held.uncached
        if not self._unanswered:
            self._to_compute = 0.0

    def _strike(self, held: Held) -> None:
        self._waiting_s -= self._waiting.pop(held, 0.0)
        if not self._waiting:
            self._waiting_s = 0.0

    def _predicted_s(self, held: Held) -> float:
        standing = self.standing
        queued_s = self._waiting_s + self._others_s()
        return (queued_s + held.work_s) * standing.stretch + standing.step_s

    def _others_s(self) -> float:
        """Prefill of other clients' requests that wait, as far as the endpoint tells."""
        load = self.load
        if self.others.count <= 0 or load is None or load.waiting is None:
            return 0.0
        waiting = min(self.others.count, max(0, load.waiting - len(self._waiting)))
        return waiting * self._coefficients.prefill_s(self._mean_prompt, self._mean_prompt)

    def _others_tokens(self) -> float:
        others, load = self.others.count, self.load
        if others < 0:  # requests that the endpoint does not have any more
            return self._prompt * others / len(self._open) if self._open else 0.0
        if others == 0:
            return 0.0
        if load is not None and load.kv_cache_usage is not None and self.capacity:
            used = min(1.0, max(0.0, load.kv_cache_usage)) * self.capacity
            return max(0.0, used - self._prompt)
        return others * self._mean_prompt

    def _stand(self, ratio: float) -> Standing:
        # Each reading of metrics and each step of a request ends here.
        work, speed, others = self._coefficients, self.speed.factor, self.others.count
        capacity, at = self.capacity, self._at
        requests, held, waiting_s = len(self._open), self._prompt, self._waiting_s
        if others:
            requests = max(0, requests + others)
            held = max(0.0, held + self._others_tokens())
            waiting_s += self._others_s()
        decoding = max(0, requests - len(self._waiting)) if self._waiting else requests
        step_s = work.decode_step_s(held, decoding)
        return Standing(
            at,
            waiting_s,
            1.0 / (ratio * speed),
            requests,
            1.0 + step_s / work.chunk_s,
            step_s,
            speed,
            _USABLE * capacity - held - 0.5 * self._output if capacity else inf,
            held,
            decoding,
            capacity,
            max(self._freed.per_second(at), capacity / _SLOWEST_TURNOVER_S) or inf,
            self._to_compute,
            self._token_s(step_s, ratio),
        )

    def _token_s(self, step_s: float, ratio: float) -> float:
        """Return what one token of an answer takes while prompts come in as they did lately.

        Were steps either for prefill or for decoding, that would be the step over the time that
        prefill leaves. But a step with a part of a prompt in it decodes too: in simulation the root
        of that predicts best what a choice costs.
        """
        busy = min(_MOST_BUSY, ratio * self.speed.factor * self._given.per_second(self._at))
        return step_s / sqrt(1.0 - busy)
