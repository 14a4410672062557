import pytest

from d2c.app.redaction import SECRET_SETTINGS, known_secrets, without_secrets
from tests.unit.pages import codes, text_of


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://a/b?sv=1&sig=c2Vj%3D&se=2", "https://a/b?sv=1&sig=***&se=2"),
        ("type%3Dmaster%26ver%3D1.0%26sig%3Dc2Vj%3D", "type%3Dmaster%26ver%3D1.0%26sig%3D***"),
        (
            "AccountName=a;AccountKey=c2Vj+/==;EndpointSuffix=x",
            "AccountName=a;AccountKey=***;EndpointSuffix=x",
        ),
        ("{'Authorization': 'Bearer eyJh.eyJz.c2ln'}", "{'Authorization': 'Bearer ***'}"),
        ("Authorization: SharedKey account:c2Vj=", "Authorization: SharedKey ***"),
        ("authorization=c2VjcmV0 and more", "authorization=*** and more"),
        ("?X-Amz-Signature=abc&X-Amz-Security-Token=def", "?X-Amz-Signature=***&X-Amz-Security-Token=***"),
        ("client_secret=abc", "client_secret=***"),
        ("/instances/m?taskHub=D2C&code=c2Vj==", "/instances/m?taskHub=D2C&code=***"),
        ("x-functions-key: c2Vj", "x-functions-key: ***"),
        ("token eyJhbGciOi.eyJvaWQiOiI.c2ln is old", "token eyJ*** is old"),
        (f"dapi{'0a' * 16} and dapi-secret", "dapi*** and dapi-secret"),
        ("whsec_c2VjcmV0LWtleS1vZi1h", "whsec_***"),
    ],
)
def test_what_is_secret_is_starred_and_what_tells_where_it_stood_stays(text, clean):
    assert without_secrets(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Container shop/music has the partition key /Artist",
        "The token is not valid for this account (docs/install/permissions.md).",
        "The signature and the design=simple stay",
        "s3://exports/d2c/m/Music/AWSDynamoDB/01780000000123-a1b2c3d4/manifest-summary.json",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    assert without_secrets(text) == text


def test_a_secret_of_the_settings_is_starred_wherever_it_stands():
    known = known_secrets(
        {"D2C_COSMOS_KEY": "Y29zbW9z", "D2C_LAKE": "AccountName=a;AccountKey=bGFrZQ==", "PATH": "/bin"}
    )
    assert set(known) == {"Y29zbW9z", "AccountName=a;AccountKey=bGFrZQ==", "bGFrZQ=="}
    assert without_secrets("odd:Y29zbW9z,bGFrZQ==,/bin", known) == "odd:***,***,/bin"


def test_the_longest_secret_is_starred_first_since_it_may_hold_another():
    known = known_secrets({"DATABRICKS_TOKEN": "abc", "D2C_COSMOS_KEY": "abcdef"})
    assert without_secrets("abcdef", known) == "***"


def test_every_setting_that_the_docs_call_a_secret_is_kept_out_of_texts():
    rows = [line for line in text_of("install/settings.md").splitlines() if "(secret" in line]
    marked = {name for row in rows for name in codes(row.split("|")[1])}
    # The id of an access key is no secret: AWS writes it into its own logs.
    assert marked - {"AWS_ACCESS_KEY_ID"} <= set(SECRET_SETTINGS)
