from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.annotations import (
    ALLOW_OVERRIDE,
    BODY_MODE,
    PREFIX,
    SETTINGS,
    GatewayModes,
    Mismatch,
    PoolSettings,
    SettingLimits,
    compare,
    gateway_modes,
    pool_settings,
)
from epp.discovery.inference_pool import Pool
from epp.exchange.modes import BodyMode, Modes
from epp.telemetry.level import Level

BUFFERED, DUPLEX = BodyMode.BUFFERED, BodyMode.FULL_DUPLEX_STREAMED
LIMITS = SettingLimits(profiles=("default", "batch"), max_body_bytes=1000)


def annotated(**annotations: str) -> Pool:
    names = {"mode": BODY_MODE, "override": ALLOW_OVERRIDE}
    return Pool("prod", "chat", annotations={names[k]: v for k, v in annotations.items()})


def setting(name: str, value: str) -> tuple[PoolSettings, list[str]]:
    pool = Pool("prod", "chat", annotations={PREFIX + name: value, "other/annotation": "x"})
    settings, complaints = pool_settings(pool, LIMITS)
    return settings, [f"{c.where}: {c.text}" for c in complaints]


@pytest.mark.parametrize(
    ("pool", "modes"),
    [
        (annotated(), GatewayModes()),
        (annotated(mode="buffered"), GatewayModes(body=BUFFERED)),
        (annotated(mode="duplex"), GatewayModes(body=DUPLEX)),
        (annotated(override="true"), GatewayModes(allow_override=True)),
        (annotated(override="false"), GatewayModes(allow_override=False)),
    ],
)
def test_values_that_ai_gateway_knows_mean_what_they_say(pool: Pool, modes: GatewayModes) -> None:
    assert gateway_modes(pool) == (modes, ())


@pytest.mark.parametrize("value", ["Buffered", "BUFFERED", "buffered ", "", "streamed"])
def test_another_body_mode_is_duplex_as_for_ai_gateway_and_told(value: str) -> None:
    modes, (complaint,) = gateway_modes(annotated(mode=value))
    assert modes == GatewayModes(body=DUPLEX)
    assert str(complaint) == (
        f"InferencePool prod/chat: metadata.annotations[{BODY_MODE}]: "
        f'"{value}" is neither buffered nor duplex; AI Gateway ignores it in silence: duplex'
    )


@pytest.mark.parametrize("value", ["True", "TRUE", "1", "yes", ""])
def test_another_override_is_false_as_for_ai_gateway_and_told(value: str) -> None:
    modes, (complaint,) = gateway_modes(annotated(override=value))
    assert modes == GatewayModes(allow_override=False)
    assert complaint.text == (
        f'"{value}" is neither false nor true; AI Gateway ignores it in silence: false'
    )


@pytest.mark.parametrize(
    "pool", [annotated(mode="buffered/duplex"), annotated(override="true/false")]
)
def test_a_slash_breaks_the_pool_and_is_told(pool: Pool) -> None:
    _, (complaint,) = gateway_modes(pool)
    assert "breaks the pool in AI Gateway" in complaint.text


def test_a_stream_in_the_annotated_mode_is_no_mismatch() -> None:
    assert compare(GatewayModes(body=BUFFERED), Modes(BUFFERED, BUFFERED)) is None


def test_without_an_annotation_every_mode_is_right() -> None:
    assert compare(GatewayModes(), Modes(BUFFERED, BUFFERED)) is None


def test_a_stream_in_another_mode_is_a_mismatch_that_says_what_happens() -> None:
    mismatch = compare(GatewayModes(body=DUPLEX), Modes(BUFFERED, BUFFERED))
    assert mismatch == Mismatch(DUPLEX, BUFFERED, BUFFERED)
    assert str(mismatch) == (
        "aigateway.envoyproxy.io/processing-body-mode asks for FULL_DUPLEX_STREAMED, but the proxy "
        "sends request bodies in BUFFERED and response bodies in BUFFERED; what the proxy does is "
        "followed"
    )


@given(st.sampled_from(BodyMode), st.sampled_from(BodyMode), st.sampled_from([BUFFERED, DUPLEX]))
def test_both_halves_of_a_stream_count(
    request: BodyMode, response: BodyMode, asked: BodyMode
) -> None:
    mismatch = compare(GatewayModes(body=asked), Modes(request, response))
    assert (mismatch is None) == (request == response == asked)


@pytest.mark.parametrize(
    ("name", "value", "settings"),
    [
        ("profile", "batch", PoolSettings(profile="batch")),
        ("observe-responses", "false", PoolSettings(observe_responses=Level.NONE)),
        ("observe-responses", "true", PoolSettings(observe_responses=Level.FULL)),
        ("observe-responses", "none", PoolSettings(observe_responses=Level.NONE)),
        ("observe-responses", "headers", PoolSettings(observe_responses=Level.HEADERS)),
        ("observe-responses", "sample", PoolSettings(observe_responses=Level.SAMPLE)),
        ("observe-responses", "full", PoolSettings(observe_responses=Level.FULL)),
        ("max-body-bytes", "1000", PoolSettings(max_body_bytes=1000)),
        ("reserved-tokens", "512", PoolSettings(reserved_tokens=512)),
        ("slo-ttft-ms", "1500", PoolSettings(slo_ttft_ms=1500)),
        ("slo-tpot-ms", "40", PoolSettings(slo_tpot_ms=40)),
    ],
)
def test_a_setting_is_read(name: str, value: str, settings: PoolSettings) -> None:
    assert setting(name, value) == (settings, [])


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("profile", "btach", "a scheduling profile of the configuration, which has batch, default"),
        ("observe-responses", "True", "one of none, headers, sample, full, true, false"),
        ("max-body-bytes", "1001", "a whole number of bytes from 1 to 1000"),
        ("max-body-bytes", "0", "a whole number of bytes from 1 to 1000"),
        ("max-body-bytes", "1Ki", "a whole number of bytes from 1 to 1000"),
        ("reserved-tokens", "0", "a whole number of tokens from 1 to 1000000"),
        ("reserved-tokens", "1000001", "a whole number of tokens from 1 to 1000000"),
        ("slo-ttft-ms", "2s", "a whole number of milliseconds from 1 to 3600000"),
        ("slo-tpot-ms", "0", "a whole number of milliseconds from 1 to 3600000"),
        ("max-body-bytes", "-1", "a whole number of bytes from 1 to 1000"),
        ("max-body-bytes", "9" * 5000, "a whole number of bytes from 1 to 1000"),
    ],
)
def test_a_value_that_is_not_allowed_counts_as_not_there(
    name: str, value: str, allowed: str
) -> None:
    settings, (told,) = setting(name, value)
    assert settings == PoolSettings()
    assert told.startswith(f'metadata.annotations[epp/{name}]: "{value}" is not {allowed}')


def test_an_unknown_setting_is_told_with_what_comes_near() -> None:
    assert setting("max-body-byte", "1") == (
        PoolSettings(),
        [
            "metadata.annotations[epp/max-body-byte]: there is no such setting; "
            'did you mean "epp/max-body-bytes"?'
        ],
    )


def test_targets_are_told_to_be_in_vain_where_nobody_waits() -> None:
    pool = Pool("prod", "chat", annotations={"epp/slo-ttft-ms": "2000"})
    settings, (complaint,) = pool_settings(pool, SettingLimits(targets=False))
    assert settings == PoolSettings()
    assert "the picker's configuration has no flowControl" in str(complaint)


def test_every_setting_has_an_annotation() -> None:
    names = [PREFIX + name.replace("_", "-") for name in PoolSettings.__struct_fields__]
    assert sorted(names) == sorted(SETTINGS)


@given(
    st.dictionaries(
        st.sampled_from([*SETTINGS, BODY_MODE, ALLOW_OVERRIDE, "epp/", "epp/x"]), st.text()
    )
)
def test_no_annotations_break_it(annotations: dict[str, str]) -> None:
    pool = Pool("prod", "chat", annotations=annotations)
    settings, complaints = pool_settings(pool, LIMITS)
    given_ = [
        v for v in (getattr(settings, n) for n in settings.__struct_fields__) if v is not None
    ]
    ours = [name for name in annotations if name.startswith(PREFIX)]
    assert len(given_) + len(complaints) == len(ours)
    modes, _ = gateway_modes(pool)
    assert modes.body in {None, BUFFERED, DUPLEX}
    assert modes.allow_override == (
        annotations[ALLOW_OVERRIDE] == "true" if ALLOW_OVERRIDE in annotations else None
    )
