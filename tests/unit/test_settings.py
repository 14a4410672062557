import pytest

from d2c.errors import SettingsError
from d2c.settings import REQUIRED, read_settings

COMPLETE = {
    **dict.fromkeys(REQUIRED, "x"),
    "D2C_LAKE__blobServiceUri": "https://lakeaccount.blob.core.windows.net",
    "D2C_CLUSTER": '{"spark_version": "17.3.x-scala2.13"}',
}


def test_every_missing_setting_is_named_at_once():
    with pytest.raises(SettingsError) as refused:
        read_settings({})
    for name in [*REQUIRED, "D2C_LAKE__blobServiceUri"]:
        assert name in refused.value.detail


def test_an_empty_setting_counts_as_missing():
    with pytest.raises(SettingsError, match="D2C_DATA_FACTORY is missing"):
        read_settings({**COMPLETE, "D2C_DATA_FACTORY": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("D2C_CLUSTER", "{"),
        ("D2C_CLUSTER", "[]"),
        ("D2C_POLL_FIRST_SECONDS", "soon"),
        ("D2C_POLL_FIRST_SECONDS", "nan"),
        ("D2C_POLL_FACTOR", "0.5"),
        ("D2C_POLL_LONGEST_SECONDS", "1e9"),
        ("D2C_SPARK_COSMOS_AUTH", "Password"),
    ],
)
def test_an_impossible_setting_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        read_settings({**COMPLETE, name: value})


def test_a_fixed_token_is_refused_for_azure_and_taken_for_this_machine():
    with pytest.raises(SettingsError, match="D2C_MANAGEMENT_TOKEN"):
        read_settings({**COMPLETE, "D2C_MANAGEMENT_TOKEN": "secret"})
    local = {**COMPLETE, "D2C_MANAGEMENT_TOKEN": "secret", "D2C_MANAGEMENT_ENDPOINT": "http://127.0.0.1:9"}
    assert read_settings(local).management_token == "secret"


def test_secrets_are_not_in_the_text_of_settings():
    secrets = {
        "D2C_COSMOS_KEY": "first-secret",
        "DATABRICKS_TOKEN": "second-secret",
        "D2C_LAKE": "AccountName=devstoreaccount1;AccountKey=third-secret",
    }
    assert "secret" not in repr(read_settings({**COMPLETE, **secrets})).replace("secret_scope", "")


@pytest.mark.parametrize(
    ("lake", "account"),
    [
        ({}, "lakeaccount"),
        ({"D2C_LAKE": "UseX=1;AccountName=devstoreaccount1;AccountKey=x="}, "devstoreaccount1"),
    ],
)
def test_a_lake_path_is_such_as_spark_takes_it(lake, account):
    settings = read_settings({**COMPLETE, **lake})
    assert settings.lake_path("a/b") == f"abfss://x@{account}.dfs.core.windows.net/a/b"
