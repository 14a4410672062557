import pytest

from d2c.mapping.numbers import NUMBER_RULES, positional
from d2c.mapping.rejected import Fault

from .helpers import n, reason_of, value_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("007", 7),
        ("+5", 5),
        (".5", 0.5),
        ("12.0", 12),
        ("1E+2", 100),
        ("0.1", 0.1),
        ("-12.5", -12.5),
        ("9007199254740992", 2**53),
        ("-9007199254740992", -(2**53)),
        ("9007199254740994", 9007199254740994.0),
        ("1E+30", 1e30),
        ("1E-130", 1e-130),
        ("1E+125", 1e125),
        ("0.30000000000000004", 0.30000000000000004),
    ],
)
def test_a_number_that_binary64_keeps_becomes_the_equal_json_number(text, number):
    mapped = value_of(n(text))
    assert mapped == number
    assert type(mapped) is type(number)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("9007199254740993", "9007199254740993"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"),
        ("-1.2345678901234567890123456789E+40", "-12345678901234567890123456789000000000000"),
        ("0.10000000000000000001", "0.10000000000000000001"),
        ("9.907439150008064", "9.907439150008064"),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
    ],
)
def test_a_number_that_binary64_does_not_keep_follows_the_rule(text, exact):
    assert value_of(n(text)) == exact
    assert value_of(n(text), {"numbers": "string"}) == exact
    assert reason_of(n(text), {"numbers": "reject"}) == "inexact_number"


def test_the_rule_string_makes_every_number_a_text_in_positional_notation():
    item = {"L": [n("1E+2"), {"NS": ["10", "9", "1.50"]}]}
    assert value_of(item, {"numbers": "string"}) == ["100", ["1.5", "9", "10"]]


def test_the_rule_reject_accepts_exact_numbers():
    assert value_of(n("0.1"), {"numbers": "reject"}) == 0.1


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "NaN",
        "Infinity",
        "1_000",
        "0x10",
        "1,5",
        ".",
        "-",
        "1e",
        "--1",
        "\u0661",
        "1²",
        "1E+126",
        "1E-131",
        "1E+999999999",
        "1E+9999999999999999999",
        "1" * 39,
        "0." + "1" * 39,
        "0" * 501,
        "0" * 1_000_000 + "x",
        "1" * 1_000_000,
        "." + "0" * 499 + "1",
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize("rule", NUMBER_RULES)
def test_a_number_impossible_in_dynamodb_is_a_malformed_line(text, rule):
    assert reason_of(n(text), {"numbers": rule}) == "malformed_line"


def test_zeros_at_the_ends_are_no_significant_digits():
    assert positional("0" * 50 + "1" * 38 + "0" * 50) == "1" * 38 + "0" * 50
    assert positional("0" * 500) == "0"


def test_a_fault_is_found_every_time_a_text_comes():
    for _ in range(2):
        with pytest.raises(Fault):
            NUMBER_RULES["reject"]("9007199254740993")
