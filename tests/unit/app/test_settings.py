import pytest

from d2c.app.settings import REQUIRED, read_settings
from d2c.errors import SettingsError

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
        ("D2C_COSMOS_CONNECTOR", "com.azure.cosmos.spark:azure-cosmos-spark_4-0_2-13"),
        ("D2C_COSMOS_CONNECTOR", "org.evil:azure-cosmos-spark_4-0_2-13:4.49.2"),
        ("D2C_LOAD_RUN_TIMEOUT_SECONDS", "-1"),
        ("D2C_VERIFY_READS_WITH", "everything"),
        ("D2C_LAKE_VOLUME", "main.d2c.exports"),
        ("D2C_LAKE_VOLUME", "/Volumes/main/d2c"),
        ("D2C_LAKE_VOLUME", "/Volumes/main/d2c/exports/more"),
        ("D2C_LAKE_VOLUME", "/Volumes/main/../exports"),
        ("D2C_WEBHOOK_URL", "hooks.example.com"),
        ("D2C_WEBHOOK_URL", "http://hooks.example.com"),
        ("D2C_WEBHOOK_URL", "ftp://127.0.0.1"),
        ("D2C_WEBHOOK_URL", "https://"),
        ("D2C_WEBHOOK_URL", "https://[::1"),
        ("D2C_WEBHOOK_URL", "https://user:pw@hooks.example.com"),
        ("D2C_WEBHOOK_URL", "https://hooks.example.com\r\nX: y"),
        ("D2C_WEBHOOK_URL", "https://hooks..example.com"),
        ("D2C_WEBHOOK_URL", "https://hooks.example.com:99999"),
        ("D2C_COSMOS_ENDPOINT", "https://user:pw@account.documents.azure.com"),
        ("DATABRICKS_HOST", "user:pw@adb-1.azuredatabricks.net"),
        ("D2C_COSMOS_KEY", "key\n"),
        ("D2C_RESOURCE_GROUP", "a\x00"),
        ("D2C_DATA_FACTORY", "\udc80"),
        ("D2C_EXPORT_PREFIX", "a" * 100_000),
        ("D2C_PRICES", '{"prices": {"s3_put": NaN}}'),
        ("D2C_CLUSTER", "[" * 10_000),
        ("D2C_COPY_INTEGRATION_UNITS", "1"),
        ("D2C_COPY_INTEGRATION_UNITS", "257"),
        ("D2C_COPY_INTEGRATION_UNITS", "auto"),
        ("D2C_COPY_PARALLEL_COPIES", "-1"),
        ("D2C_INTEGRATION_RUNTIME", "near aws"),
        ("D2C_INTEGRATION_RUNTIME", "ir"),
        ("D2C_INTEGRATION_RUNTIME", "a" * 64),
    ],
)
def test_an_impossible_setting_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        read_settings({**COMPLETE, name: value})


def test_secrets_are_not_in_the_text_of_settings():
    secrets = {
        "D2C_COSMOS_KEY": "first-secret",
        "DATABRICKS_TOKEN": "second-secret",
        "D2C_LAKE": "AccountName=devstoreaccount1;AccountKey=third-secret",
    }
    assert "secret" not in repr(read_settings({**COMPLETE, **secrets})).replace("secret_scope", "")


def test_a_volume_shows_the_exports_of_the_lake_and_without_one_there_is_no_path():
    settings = read_settings({**COMPLETE, "D2C_LAKE_VOLUME": "/Volumes/main/d2c/exports/"})
    assert settings.volume_path("exports/m/T/1") == "/Volumes/main/d2c/exports/m/T/1"
    assert settings.exports_path == settings.lake_path("exports/")
    assert read_settings(COMPLETE).volume_path("exports/m/T/1") is None


@pytest.mark.parametrize(
    ("lake", "account"),
    [
        ({}, "lakeaccount"),
        ({"D2C_LAKE": "UseX=1;AccountName=devstoreaccount1;AccountKey=x="}, "devstoreaccount1"),
        ({"D2C_LAKE__blobServiceUri": "https://lakeaccount.blob.core.windows.net/"}, "lakeaccount"),
        ({"D2C_LAKE__blobServiceUri": "https://127.0.0.1:9/devstoreaccount1"}, "devstoreaccount1"),
    ],
)
def test_a_lake_path_is_such_as_spark_takes_it(lake, account):
    settings = read_settings({**COMPLETE, **lake})
    assert settings.lake_path("a/b") == f"abfss://x@{account}.dfs.core.windows.net/a/b"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "c2VjcmV0" * 4,
        "whsec_" + "c2VjcmV0" * 3,
        "whsec_" + "c2VjcmV0" * 11,
        "whsec_secret",
        "whsec_ä",
    ],
)
def test_a_webhook_without_a_secret_of_the_right_kind_is_refused_and_the_secret_not_told(secret):
    with pytest.raises(SettingsError, match="D2C_WEBHOOK_SECRET") as refused:
        read_settings({**COMPLETE, "D2C_WEBHOOK_URL": "https://example.com", "D2C_WEBHOOK_SECRET": secret})
    assert "c2VjcmV0" not in refused.value.detail


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://127.0.0.1:9/hook", "http://[::1]:9"])
@pytest.mark.parametrize("secret", ["whsec_" + "c2VjcmV0" * 4, "whsec_" + "c2VjcmV0" * 10])
def test_a_webhook_has_an_https_address_or_is_on_this_machine(url, secret):
    settings = read_settings({**COMPLETE, "D2C_WEBHOOK_URL": url, "D2C_WEBHOOK_SECRET": secret})
    assert (settings.webhook_url, settings.webhook_secret) == (url, secret)


def test_a_secret_without_an_address_is_no_webhook():
    settings = read_settings({**COMPLETE, "D2C_WEBHOOK_SECRET": "whsec_"})
    assert (settings.webhook_url, settings.webhook_secret) == ("", "")


def test_faults_of_every_kind_are_reported_at_once():
    environment = {
        "D2C_CLUSTER": '{"colour": "red", "spark_version": 17}',
        "D2C_POLL_FACTOR": "0",
        "D2C_WEBHOOK_URL": "ftp://hidden",
        "D2C_WEBHOOK_SECRET": "hidden",
        "D2C_COPY_CREDENTIALS": "session",
        "D2C_AWS_ACCOUNT": "12",
        "D2C_PRICES": "[",
        "D2C_SPARK_COSMOS_AUTH": "Password",
    }
    with pytest.raises(SettingsError) as refused:
        read_settings(environment)
    for name in [*REQUIRED, "D2C_LAKE__blobServiceUri", *environment]:
        assert name in refused.value.detail
    assert refused.value.detail.count("D2C_CLUSTER") == 2
    assert "hidden" not in refused.value.detail


def test_an_error_about_settings_has_no_other_error_that_quotes_values():
    with pytest.raises(SettingsError) as refused:
        read_settings({**COMPLETE, "D2C_WEBHOOK_URL": "ftp://hidden"})
    assert refused.value.__context__ is None


def test_settings_of_the_same_values_are_one_key_of_a_cache():
    first, second = read_settings(COMPLETE), read_settings({**COMPLETE, "D2C_SECRET_SCOPE": "d2c"})
    assert {first: "client"}[second] == "client"
    assert read_settings({**COMPLETE, "D2C_COSMOS_KEY": "other"}) != first


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        read_settings(COMPLETE).cosmos_key = "other"
