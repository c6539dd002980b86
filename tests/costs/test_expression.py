from __future__ import annotations

import pytest

from epp.costs.expression import CelError, Expression
from epp.costs.facts import Facts

FACTS = Facts(
    model="m",
    backend="10.0.0.1:8000",
    input_tokens=7,
    cached_input_tokens=4,
    cache_creation_input_tokens=1,
    output_tokens=3,
    total_tokens=10,
    reasoning_tokens=2,
)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("input_tokens + output_tokens * 2u", 13),  # as AI Gateway reads it
        ("input_tokens + output_tokens * 2", 13),
        ("total_tokens * 0.1", 1.0),
        ("double(total_tokens) * 0.25", 2.5),
        ("model == 'm' ? 1 : 2", 1),
        ("backend.startsWith('10.') && route_name == '' ? 5u : 0u", 5),
        ("cached_input_tokens + cache_creation_input_tokens + reasoning_tokens", 7),
        ("total_tokens > 5u ? total_tokens - 5u : 0u", 5),
        ("0", 0),
    ],
)
def test_an_expression_comes_to_an_integer_or_a_double(text: str, cost: float) -> None:
    result = Expression(text).of(FACTS)
    assert result == pytest.approx(cost)
    assert isinstance(result, type(cost))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tokens", "undeclared reference to 'tokens'"),
        ("1 +", "Syntax error"),
        ("", "Syntax error"),
        ("model", "comes to string, not to a number"),
        ("total_tokens > 5u", "comes to bool"),
        ("input_tokens + model", "no matching overload"),
    ],
)
def test_what_can_be_no_number_is_refused_when_it_is_read(text: str, why: str) -> None:
    with pytest.raises(CelError, match=why) as caught:
        Expression(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("total_tokens / (input_tokens - 7u)", "divide by zero"),
        ("output_tokens - input_tokens", "overflow"),
        ("output_tokens - 5", "-2 is no number of at least 0"),
        ("total_tokens / 0.0", "inf is no number"),
    ],
)
def test_a_cost_that_there_is_not_is_an_error_when_it_is_charged(text: str, why: str) -> None:
    with pytest.raises(CelError, match=why):
        Expression(text).of(FACTS)


def test_its_repr_is_its_text() -> None:
    assert repr(Expression("1")) == "<Expression 1>"
