"""What the owner of an object in the cluster should mend."""

from __future__ import annotations

import msgspec


class Complaint(msgspec.Struct, frozen=True):
    """One thing about one object: where in it, what is wrong, and what happens instead."""

    kind: str  # "InferencePool", "Pod", ...
    name: str  # "namespace/name"
    where: str  # "spec.selector"
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.where}: {self.text}"
