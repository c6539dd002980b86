"""Which model a pool serves in the place of the one that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import Pool
from epp.discovery.pool_ref import PoolMember, PoolMemberSpec, belonging
from epp.openai.model import invalid_model
from epp.routing.split import MAX_WEIGHT, Split

KIND = "InferenceModelRewrite"
PLURAL = "inferencemodelrewrites"


class ModelMatch(msgspec.Struct, frozen=True):
    """A model by its name."""

    type: str = "Exact"
    value: str = ""


class RewriteMatch(msgspec.Struct, frozen=True):
    """One of `matches`."""

    model: ModelMatch | None = None


class RewriteTarget(msgspec.Struct, frozen=True, rename="camel"):
    """One of `targets`."""

    model_rewrite: str = ""
    weight: int | None = None


class RewriteRule(msgspec.Struct, frozen=True):
    """One of `rules`; without `matches` it is for every model."""

    matches: tuple[RewriteMatch, ...] = ()
    targets: tuple[RewriteTarget, ...] = ()


class InferenceModelRewriteSpec(PoolMemberSpec, frozen=True):
    """`spec`."""

    rules: tuple[RewriteRule, ...] = ()


class InferenceModelRewrite(PoolMember, frozen=True):
    """`llm-d.ai/v1alpha2`."""

    spec: InferenceModelRewriteSpec = InferenceModelRewriteSpec()


class Rewrites(msgspec.Struct, frozen=True):
    """The rewrites of one pool."""

    exact: Mapping[str, Split] = {}
    any: Split | None = None
    complaints: tuple[Complaint, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.exact) or self.any is not None

    @property
    def models(self) -> set[str]:
        """Every model that is named, asked for or served."""
        splits = [*self.exact.values(), *([self.any] if self.any else [])]
        return {*self.exact, *(model for split in splits for model in split.weights)}

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        """Return the model to serve instead of `model`; None: itself.

        `conversation` returns what all requests of one conversation share, and is asked only where
        there is a choice.
        """
        split = self.exact.get(model, self.any)
        return None if split is None else split.choose_for(conversation)


def rewrites(pool: Pool, objects: Iterable[InferenceModelRewrite]) -> Rewrites:
    """Return what `objects` say about `pool`.

    A rule that names the model beats one for all, an older object a younger one, and an earlier
    rule a later one.
    """
    complaints: list[Complaint] = []
    exact: dict[str, Split] = {}
    any_model: Split | None = None
    for one in belonging(pool, KIND, objects, complaints):
        for split, models in _rules(one, complaints):
            if models is None:
                any_model = any_model or split
            for model in models or ():
                exact.setdefault(model, split)
    return Rewrites(exact, any_model, tuple(complaints))


def _rules(
    one: InferenceModelRewrite, complaints: list[Complaint]
) -> Iterator[tuple[Split, list[str] | None]]:
    """Return each usable rule of `one`, and the models that it is for: None for all."""
    name = f"{one.metadata.namespace}/{one.metadata.name}"
    for i, rule in enumerate(one.spec.rules):
        wrong: list[tuple[str, str]] = []
        split = _split(rule, wrong)
        models = _models(rule, wrong)
        where = f"spec.rules[{i}]"
        complaints += [Complaint(KIND, name, f"{where}.{part}", text) for part, text in wrong]
        if split is not None:
            yield split, models


def _models(rule: RewriteRule, wrong: list[tuple[str, str]]) -> list[str] | None:
    if not rule.matches:
        return None
    models = []
    for i, match in enumerate(rule.matches):
        if match.model is None or match.model.type != "Exact" or not match.model.value:
            wrong.append((f"matches[{i}]", "names no model exactly; it matches nothing"))
        else:
            models.append(match.model.value)
    return models


def _split(rule: RewriteRule, wrong: list[tuple[str, str]]) -> Split | None:
    weights: dict[str, int] = {}
    weighted = any(target.weight is not None for target in rule.targets)
    for i, target in enumerate(rule.targets):
        model, part = target.model_rewrite, f"targets[{i}]"
        if not model or invalid_model(model):
            wrong.append((f"{part}.modelRewrite", "is not the name of a model; it is left out"))
            continue
        weight = target.weight
        if weight is None and weighted:
            wrong.append((f"{part}.weight", "is missing, but other targets have one; it counts 1"))
        elif weight is not None and not 1 <= weight <= MAX_WEIGHT:
            wrong.append((f"{part}.weight", f"{weight} is not from 1 to {MAX_WEIGHT}"))
        weights[model] = weights.get(model, 0) + min(max(weight or 1, 1), MAX_WEIGHT)
    if not weights:
        wrong.append(("targets", "has no model; the rule is left out"))
        return None
    return Split(weights)
