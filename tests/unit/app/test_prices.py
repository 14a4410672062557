import json

import pytest

from d2c.app.prices import DEFAULTS, prices_from, read_prices
from d2c.app.settings import read_settings
from tests.unit.app.test_settings import COMPLETE
from tests.unit.pages import codes, json_blocks, table_rows, text_of

PAGE = text_of("start/cost.md")


def read(given):
    return read_prices(given if isinstance(given, str) else json.dumps(given), 1000)


def test_without_the_setting_the_defaults_hold_with_the_copys_own_speed():
    prices = read("")
    assert prices.prices == DEFAULTS.prices
    assert prices.assumed("copy_bytes_per_second") == 1000
    assert prices.assumed("factory_dius") == DEFAULTS.assumed("factory_dius")


def test_a_copy_costs_the_integration_units_that_are_set_for_it():
    settings = read_settings({**COMPLETE, "D2C_COPY_INTEGRATION_UNITS": "32"})
    assert settings.prices.assumed("factory_dius") == 32


def test_given_prices_replace_their_namesakes_and_leave_the_others():
    given = {
        "currency": "EUR",
        "as_of": "2026-11-01",
        "region": "westeurope",
        "prices": {"dynamodb_export": 0.2, "vm_hour:Standard_E8ds_v5": 0.66},
        "assumptions": {"compression": 0.25},
    }
    prices = read(given)
    assert prices.currency == "EUR"
    price = prices.prices["dynamodb_export"]
    assert (price.amount, price.as_of, price.region, price.is_confirmed) == (
        0.2,
        "2026-11-01",
        "westeurope",
        True,
    )
    assert prices.prices["vm_hour:Standard_E8ds_v5"].amount == 0.66
    assert prices.prices["s3_storage"] == DEFAULTS.prices["s3_storage"]
    assert prices.assumed("compression") == 0.25


def test_the_setting_may_name_a_file(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text('{"prices": {"s3_put": 1}}')
    assert read(str(path)).prices["s3_put"].amount == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("/nowhere/prices.json", "cannot be read"),
        ("{no json", "D2C_PRICES"),
        ({"price": {}}, "currency, as_of, region"),
        ({"prices": {"dynamodb": 1}}, "dynamodb_export"),
        ({"prices": {"s3_put": "1"}}, "'1' is not a number"),
        ({"prices": {"s3_put": -1}}, "-1 is not a number"),
        ({"assumptions": {"speed": 1}}, "compression"),
        ({"assumptions": {"compression": 0}}, "compression"),
        ({"prices": []}, "not a JSON object"),
        ({"assumptions": 1}, "not a JSON object"),
        ({"currency": 1}, "not text"),
        ({"prices": {"s3_put": 1e300}}, "s3_put"),
        ({"assumptions": {"compression": 1e-300}}, "compression"),
        ('{"prices": {"s3_put": Infinity}}', "not JSON"),
    ],
)
def test_a_fault_names_the_setting_and_the_valid_names(given, words):
    with pytest.raises(ValueError, match=r"^D2C_PRICES") as refused:
        read(given)
    assert words in str(refused.value)


def test_prices_come_back_from_json_as_they_were():
    assert prices_from(json.loads(json.dumps(DEFAULTS.to_dict()))) == DEFAULTS


def test_the_page_tells_every_price_as_it_is_and_none_is_confirmed_there_only():
    rows = {codes(row[0])[0]: row for row in table_rows(PAGE, "## Where the prices come from")}
    assert rows.keys() == DEFAULTS.prices.keys()
    for name, price in DEFAULTS.prices.items():
        assert float(rows[name][1]) == price.amount
        assert rows[name][3] == price.as_of
        assert (rows[name][4] != "no") == price.is_confirmed


def test_the_page_tells_every_assumption_as_it_is():
    rows = {codes(row[0])[0]: row for row in table_rows(PAGE, "## Assumptions")}
    assert {name: float(row[1].replace(",", "")) for name, row in rows.items()} == {
        name: assumption.value for name, assumption in DEFAULTS.assumptions.items()
    }


def test_the_example_on_the_page_is_taken():
    (example,) = json_blocks("start/cost.md")
    assert read(example) != read("")
