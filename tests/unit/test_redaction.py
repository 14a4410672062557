import json
from pathlib import Path

import pytest

from d2c.errors import PermanentError
from d2c.redaction import (
    MOST_CHARACTERS,
    SECRET_SETTINGS,
    known_secrets,
    without_secrets,
)
from tests.unit.pages import codes, text_of

ROOT = Path(__file__).parents[2]


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
        ('{"client_secret": "a b,c;d", "id": 1}', '{"client_secret": "***", "id": 1}'),
        ('{"access_token":"c2Vj\\"x","expires_in":1}', '{"access_token":"***","expires_in":1}'),
        (
            json.dumps(json.dumps({"refresh_token": "c2Vj", "id": 1})),
            '"{\\"refresh_token\\": \\"***\\", \\"id\\": 1}"',
        ),
        ("{'token': 'abc', 'secret': 'def'}", "{'token': '***', 'secret': '***'}"),
        ("{'password': 'it\\'s', 'user': 'a'}", "{'password': '***', 'user': 'a'}"),
        ("Password: hunter2 is refused", "Password: *** is refused"),
        ("aws_secret_access_key=c2Vj/+", "aws_secret_access_key=***"),
        ("AWS_SECRET_ACCESS_KEY: c2Vj", "AWS_SECRET_ACCESS_KEY: ***"),
        ("<SecretAccessKey>c2Vj</SecretAccessKey>", "<SecretAccessKey>***</SecretAccessKey>"),
        ('"SessionToken": "c2Vj"', '"SessionToken": "***"'),
        (
            "Credential=AKIA/x, SignedHeaders=host, Signature=0a1b2c",
            "Credential=AKIA/x, SignedHeaders=host, Signature=***",
        ),
        ('"primaryMasterKey": "c2Vj=="', '"primaryMasterKey": "***"'),
        ("https://user:p%40w:x@host/path", "https://user:***@host/path"),
        ("user:pw@host refused", "user:***@host refused"),
        ("?h=Bearer%20c2Vj0&x=1", "?h=Bearer%20***&x=1"),
        ("Basic dXNlcjpwYXNz was sent", "Basic *** was sent"),
        ("authorization: Bearer abc", "authorization: Bearer ***"),
        ("X-API-Key: abc", "X-API-Key: ***"),
        ("token%3Dabc", "token%3D***"),
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
        "The Basic tier and a Bearer token are not Basic authentication",
        "Eyjafjallajokull erupts; dapi and whsec_ are prefixes",
        "mailto:someone@example.org and someone@example.org",
        "abfss://lake@account.dfs.core.windows.net/exports/12:30",
        "arn:aws:sts::111122223333:assumed-role/d2c/someone@example.org",
        "D2C_WEBHOOK_SECRET is not whsec_ and the base64 of 24 to 64 bytes, which sign notifications",
        "The secret: its scope d2c has no key; put {{secrets/d2c/spark}} there",
        "Status code=404, error code: 40301, signature does not match, partition key: /id",
        '{"code": "Forbidden", "token_type": "Bearer", "key": "id", "keys": ["a"]}',
        "http://[::1]:7071/api and https://account.documents.azure.com:443/dbs",
        "The access token has expired; the account key is disabled",
        "ttl=3600; pk=a:b; author=me; tokens: 3; passwords are refused",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    assert without_secrets(text) == text


def test_a_secret_of_the_settings_is_starred_wherever_it_stands():
    known = known_secrets(
        {"D2C_COSMOS_KEY": "Y29zbW9z", "D2C_LAKE": "AccountName=a;AccountKey=bGFrZQ==", "PATH": "/bin"}
    )
    assert {"Y29zbW9z", "AccountName=a;AccountKey=bGFrZQ==", "bGFrZQ=="} < set(known)
    assert without_secrets("odd:Y29zbW9z,bGFrZQ==,/bin", known) == "odd:***,***,/bin"
    assert without_secrets("quoted:bGFrZQ%3D%3D.", known) == "quoted:***."


def test_a_secret_of_this_process_is_starred_in_all_that_an_error_says(monkeypatch):
    monkeypatch.setenv("D2C_COSMOS_KEY", "odd-secret")
    told = PermanentError("a odd-secret", "b odd-secret", "c odd-secret").to_dict()
    assert [told["detail"], told["next_step"], told["title"]] == ["a ***", "b ***", "c ***"]
    assert not told["transient"]


def test_a_long_text_keeps_its_beginning_and_its_last_lines_and_says_what_it_lacks():
    text = f"begin {'a' * MOST_CHARACTERS}\n{'b' * 100}\nValueError: end"
    short = without_secrets(text, ())
    assert short.startswith("begin aaa")
    assert short.endswith("\nValueError: end")
    assert " characters are left out) ..." in short
    assert len(short) <= MOST_CHARACTERS + 100


def test_a_secret_whose_name_is_cut_off_is_cut_off_too():
    text = f"{'a' * MOST_CHARACTERS} AccountKey={'s' * (MOST_CHARACTERS // 2 + 100)}"
    for lines in (text, text + "\nend"):
        assert "ss" not in without_secrets(lines, ())


def test_a_known_secret_is_starred_also_where_a_long_text_is_cut():
    for before in range(MOST_CHARACTERS - 40, MOST_CHARACTERS):
        assert "-odd-" not in without_secrets("a" * before + "-odd-secret-" * 2000, ("-odd-secret-",))


def test_the_longest_secret_is_starred_first_since_it_may_hold_another():
    known = known_secrets({"DATABRICKS_TOKEN": "abc", "D2C_COSMOS_KEY": "abcdef"})
    assert without_secrets("abcdef", known) == "***"


def test_every_setting_that_the_docs_call_a_secret_is_kept_out_of_texts():
    rows = [line for line in text_of("install/settings.md").splitlines() if "(secret" in line]
    marked = {name for row in rows for name in codes(row.split("|")[1])}
    # The id of an access key is no secret: AWS writes it into its own logs.
    assert marked - {"AWS_ACCESS_KEY_ID"} <= set(SECRET_SETTINGS)


def test_no_room_makes_a_text_of_an_error_that_was_not_redacted():
    rooms = [ROOT / name for name in ("activities", "orchestrators", "triggers", "d2c")]
    files = [path for room in rooms for path in room.rglob("*.py") if path.name != "errors.py"]
    assert len(files) > 100
    assert not [path.name for path in files if '"title": error.title' in path.read_text()]
