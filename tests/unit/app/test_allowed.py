import pytest

from d2c.errors import SettingsError
from tests.unit.clients.settings import local_settings

ACCOUNT = "111122223333"
TABLE = {"table": "shop-orders", "database": "shop", "account": ACCOUNT}


def faults(table=TABLE, **limits):
    settings = local_settings(**{f"D2C_ALLOWED_{name.upper()}": text for name, text in limits.items()})
    return list(settings.allowed.faults(table))


def test_without_limits_the_app_may_touch_all():
    assert faults() == []


@pytest.mark.parametrize(
    "limits",
    [
        {"databases": "shop"},
        {"databases": "crm, shop"},
        {"databases": "sh*"},
        {"databases": "*"},
        {"tables": "shop-*"},
        {"tables": "shop-orders", "accounts": f"444455556666,{ACCOUNT}"},
    ],
)
def test_a_name_or_its_beginning_is_enough(limits):
    assert faults(**limits) == []


@pytest.mark.parametrize(
    ("limits", "fields"),
    [
        ({"databases": "crm"}, ["database"]),
        ({"databases": "shop-*"}, ["database"]),
        ({"databases": "Shop"}, ["database"]),
        ({"tables": "shop"}, ["table"]),
        ({"accounts": "444455556666"}, ["account"]),
        ({"databases": "crm", "tables": "crm*", "accounts": "4*"}, ["database", "table", "account"]),
    ],
)
def test_other_names_are_refused_by_the_setting_that_limits_them(limits, fields):
    found = faults(**limits)
    assert [fault.split(":")[0] for fault in found] == fields
    assert all(f"D2C_ALLOWED_{field.upper()}S" in fault for field, fault in zip(fields, found, strict=True))


def test_a_fault_tells_what_is_allowed_and_what_to_do():
    assert faults(databases="crm,test-*") == [
        "database: the app may touch only those of D2C_ALLOWED_DATABASES (crm, test-*), not shop; name another one, "
        "or ask the administrator of the app to allow it"
    ]


def test_an_account_that_nobody_knows_is_not_allowed_and_one_that_is_not_judged_is():
    assert "not an unknown one" in faults({**TABLE, "account": ""}, accounts=ACCOUNT)[0]
    assert faults({**TABLE, "account": None}, accounts=ACCOUNT) == []


def test_a_fault_names_ten_of_many():
    (fault,) = faults(tables=",".join(f"t{number}" for number in range(12)))
    assert "t9 and 2 others)" in fault


@pytest.mark.parametrize("text", [",", "a,,b", "*a", "a*b", "**"])
def test_what_is_no_name_is_a_fault_of_the_setting(text):
    with pytest.raises(SettingsError, match="D2C_ALLOWED_TABLES has"):
        local_settings(D2C_ALLOWED_TABLES=text)
