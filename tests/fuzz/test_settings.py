"""Whatever stands in the app's settings, it is read to the same values again, or refused with each setting's name."""

import json
import math

import pytest
from hypothesis import strategies as st

from d2c.app.environment import fields_of
from d2c.app.prices import DEFAULTS, prices_from
from d2c.app.settings import Settings, read_settings
from d2c.errors import SettingsError
from tests.fuzz.fuzzing import fuzzed, odd_texts, odd_values, spoilt, within_bounds
from tests.unit.app.test_settings import COMPLETE

NAMES = sorted(dict(fields_of(Settings)))
ROLES = {"111122223333": "arn:aws:iam::111122223333:role/d2c"}
SOUND = {
    "D2C_PRICES": {
        "currency": "EUR",
        "as_of": "2026-11",
        "region": "westeurope",
        "prices": {"s3_put": 1, "vm_hour:Standard_E8ds_v5": 0.5},
        "assumptions": {"compression": 0.25},
    },
    "D2C_CLUSTER": {
        "spark_version": "17.3.x-scala2.13",
        "node_type_id": "Standard_D4ds_v5",
        "autoscale": {"min_workers": 1, "max_workers": 8},
        "spark_conf": {"a.secret": "{{secrets/d2c/a}}", "b": "c"},
        "spark_env_vars": {"A": "b"},
    },
    "D2C_AWS_ROLES": ROLES,
}
WITH_AUDIENCE = {**COMPLETE, "D2C_AWS_TOKEN_AUDIENCE": "api://d2c"}
texts = st.one_of(
    odd_texts,
    st.from_regex(r"\Ahttps?://[a-z@:.\\\[\]0-9]{0,20}(/[ -~]{0,9})?\Z"),
    st.sampled_from(list(COMPLETE.values())),
    st.builds(lambda length: "a" * length, st.integers(1, 100_000)),
)


def read(environment):
    """Return the settings of an environment, or None if it is refused as promised."""
    try:
        with within_bounds():
            return read_settings(environment)
    except SettingsError as error:
        assert any(name in error.detail for name in NAMES)
        assert len(error.detail) < 40_000
        assert error.next_step
        return None


@pytest.mark.parametrize("name", SOUND)
def test_what_json_a_setting_holds_is_read_or_refused(name):
    @fuzzed(st.one_of(spoilt(st.just(SOUND[name])), odd_values).map(json.dumps) | odd_texts, most=50)
    def is_read_or_refused(text):
        settings = read({**WITH_AUDIENCE, name: text})
        if settings:
            # JSON, as other programs read it: no NaN, and no half surrogate pair.
            json.dumps(
                [settings.prices.to_dict(), settings.cluster, settings.aws.roles], allow_nan=False
            ).encode()
            assert prices_from(json.loads(json.dumps(settings.prices.to_dict()))) == settings.prices

    is_read_or_refused()


@fuzzed(st.dictionaries(st.sampled_from(NAMES), texts, max_size=4))
def test_any_text_in_any_setting_is_read_or_refused(given):
    settings = read({**COMPLETE, **given})
    if settings:
        assert read_settings({**COMPLETE, **given}) == settings
        assert "\n" not in settings.webhook_url
        assert "@" not in settings.webhook_url.partition("//")[2].partition("/")[0].partition("?")[0]
        assert math.isfinite(settings.polling.first_seconds)


@fuzzed(
    st.sampled_from(sorted(SOUND)), st.sampled_from(("[", '{"a":', '{"prices":')), st.integers(100, 30_000)
)
def test_json_that_is_nested_deep_is_refused(name, opening, times):
    assert read({**WITH_AUDIENCE, name: opening * times}) is None


@fuzzed(st.dictionaries(st.sampled_from(sorted(DEFAULTS.prices)), st.floats() | st.integers(), min_size=1))
def test_a_price_is_a_number_that_can_be_multiplied(prices):
    settings = read({**COMPLETE, "D2C_PRICES": json.dumps({"prices": prices})})
    if settings:
        assert all(0 <= settings.prices.prices[name].amount <= 1e15 for name in prices)
