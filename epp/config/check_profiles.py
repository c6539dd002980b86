"""The profiles, and who chooses between them."""

from __future__ import annotations

from epp.config import plugins
from epp.config.complete import HANDLER, profile_of_all
from epp.config.findings import Findings
from epp.config.model import PluginReference, ProfileSpec
from epp.document.problem import did_you_mean

PICKER = "picker"


def check_profiles(findings: Findings) -> None:
    """Say what is wrong with each profile, and with all of them together."""
    profiles = findings.config.scheduling_profiles
    if not profiles:
        _check_implied(findings)
    seen: set[str] = set()
    for i, profile in enumerate(profiles):
        if profile.name in seen:
            findings.say(f'two profiles are called "{profile.name}"', "schedulingProfiles", i)
        seen.add(profile.name)
        _check_profile(findings, profile, i)
    _check_handler(findings)


def _check_implied(findings: Findings) -> None:
    unknown = None in findings.kinds.values()  # was said already, and may be what is missing
    if not unknown and not profile_of_all(findings.config.plugins).plugins:
        findings.say("no filter, scorer or picker: there is nothing to choose by", "plugins")
    for i in findings.declared(PICKER)[1:]:
        findings.say("this is a second picker; a profile has one", "plugins", i)


def _check_profile(findings: Findings, profile: ProfileSpec, i: int) -> None:
    if not profile.plugins:
        findings.say(f'the profile "{profile.name}" is empty', "schedulingProfiles", i)
    seen: set[str] = set()
    picker = ""
    for j, reference in enumerate(profile.plugins):
        name, place = reference.plugin_ref, ("schedulingProfiles", i, "plugins", j)
        if name in seen:
            findings.say(f'"{name}" is in this profile twice', *place, "pluginRef")
        elif findings.kinds.get(name) == PICKER:
            if picker:
                text = f'"{name}" is a second picker; a profile has one, and "{picker}" is it'
                findings.say(text, *place, "pluginRef")
            picker = picker or name
        seen.add(name)
        _check_reference(findings, reference, place)


def _check_reference(
    findings: Findings, reference: PluginReference, place: tuple[str | int, ...]
) -> None:
    name = reference.plugin_ref
    kind = findings.kinds.get(name)
    if name not in findings.kinds:
        findings.say(_dangling(name, findings), *place, "pluginRef")
    elif kind is not None and kind not in plugins.PLACED:
        text = f'"{name}" is a {kind} and has no place in a profile; it is enough in plugins'
        findings.say(text, *place, "pluginRef")
    elif kind not in {None, "scorer"} and reference.weight is not None:
        findings.say(f'"{name}" is a {kind}; only a scorer has a weight', *place, "weight")


def _dangling(name: str, findings: Findings) -> str:
    if plugins.kind_of(name):
        return f'"{name}" is not in plugins; add "- type: {name}" there'
    return f'no plugin is called "{name}"{did_you_mean(name, findings.kinds)}'


def _check_handler(findings: Findings) -> None:
    handlers = findings.declared("profile handler")
    for i in handlers[1:]:
        findings.say("this is a second profile handler; there can be one", "plugins", i)
    chosen = findings.config.plugins[handlers[0]].type if handlers else HANDLER
    count = len(findings.config.scheduling_profiles)
    if chosen == HANDLER and count > 1:
        text = f"{HANDLER} serves one profile, and here are {count}"
        findings.say(text, "schedulingProfiles")
