import pytest

from d2c.redaction import without_secrets


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
    ],
)
def test_what_is_secret_is_starred_and_what_tells_where_it_stood_stays(text, clean):
    assert without_secrets(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Container shop/music has the partition key /Artist",
        "The token is not valid for this account (docs/permissions.md).",
        "The signature and the design=simple stay",
        "s3://exports/d2c/m/Music/AWSDynamoDB/01780000000123-a1b2c3d4/manifest-summary.json",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    assert without_secrets(text) == text
