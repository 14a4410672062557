import pytest

from d2c.app.settings import read_settings
from d2c.deploy.parameters import parameter_values, with_app_settings
from d2c.errors import SettingsError
from tests.unit.app.test_aws_settings import WITH_ROLES
from tests.unit.app.test_settings import COMPLETE


@pytest.mark.parametrize(
    ("lake", "url"),
    [
        ({}, "https://lakeaccount.dfs.core.windows.net/"),
        (
            {"D2C_LAKE__blobServiceUri": "https://l.blob.core.chinacloudapi.cn"},
            "https://l.dfs.core.chinacloudapi.cn/",
        ),
        (
            {"D2C_LAKE__blobServiceUri": "", "D2C_LAKE": "AccountName=local;AccountKey=x"},
            "https://local.dfs.core.windows.net/",
        ),
        ({"D2C_LAKE__dfsServiceUri": "https://own.example.com/"}, "https://own.example.com/"),
    ],
)
def test_the_lakes_address_follows_from_the_apps_settings(lake, url):
    environment = {**COMPLETE, **lake}
    assert parameter_values(read_settings(environment), environment)["lakeUrl"] == url


def test_a_parameter_without_a_setting_is_unknown():
    values = parameter_values(read_settings(COMPLETE), {"D2C_KEY_VAULT_URL": "https://v.vault.azure.net/"})
    assert (values["keyVaultUrl"], values["awsAccessKeyId"]) == ("https://v.vault.azure.net/", "")


def test_with_session_credentials_no_key_and_no_vault_is_needed():
    settings = read_settings({**COMPLETE, **WITH_ROLES})
    values = parameter_values(settings, {})
    assert values["awsAccessKeyId"] == values["keyVaultUrl"] == "unused"
    assert parameter_values(settings, {"D2C_KEY_VAULT_URL": "https://v"})["keyVaultUrl"] == "https://v"


def test_further_app_settings_win_as_they_do_in_the_app():
    given = {
        "D2C_NOTEBOOK_PATH": "/Shared/d2c/load_table",
        "D2C_APP_SETTINGS": '{"D2C_NOTEBOOK_PATH": "/Bundle/n"}',
    }
    assert with_app_settings(given)["D2C_NOTEBOOK_PATH"] == "/Bundle/n"
    assert with_app_settings({"D2C_APP_SETTINGS": "", "A": "1"})["A"] == "1"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_further_app_settings_that_are_none_are_told(text):
    with pytest.raises(SettingsError, match="D2C_APP_SETTINGS is not"):
        with_app_settings({"D2C_APP_SETTINGS": text})
