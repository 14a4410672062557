import json

import pytest

from d2c.clients.aws.copy_session import (
    copy_session_name,
    copy_session_policy,
    copy_session_seconds,
    most_bytes_of_a_run,
)
from d2c.export_format.copy_parts import list_key
from tests.unit.app.test_aws_settings import ROLE, aws

FOLDER = "d2c/music-2026/Music/AWSDynamoDB/01780000000123-a1b2c3d4"


def statements(role=ROLE):
    return copy_session_policy(role, "exports", FOLDER)["Statement"]


def test_a_copy_run_may_read_the_objects_of_its_own_export_only():
    (of_objects,) = [one for one in statements() if "s3:GetObject" in one["Action"]]
    assert of_objects["Resource"] == f"arn:aws:s3:::exports/{FOLDER}*"
    assert list_key(FOLDER, 0, 1, 1).startswith(FOLDER)
    (listing,) = [one for one in statements() if "s3:ListBucket" in one["Action"]]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": f"{FOLDER}*"}}
    assert not [one for one in statements() if "Put" in str(one) or "Delete" in str(one)]


def test_a_folder_is_a_name_and_no_pattern():
    (of_objects, listing, *_) = copy_session_policy(ROLE, "exports", "a*b/${c}?")["Statement"]
    name = "a${*}b/${$}{c}${?}"
    assert of_objects["Resource"] == f"arn:aws:s3:::exports/{name}*"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": f"{name}*"}}


def test_the_policy_is_of_the_roles_partition():
    (of_objects, *_) = statements("arn:aws-cn:iam::111122223333:role/d2c")
    assert of_objects["Resource"].startswith("arn:aws-cn:s3:::exports/")


def test_the_policy_of_the_longest_names_fits_into_a_session():
    folder = f"{'p' * 100}/{'m' * 48}/{'t' * 255}/AWSDynamoDB/01780000000123-a1b2c3d4"
    text = json.dumps(copy_session_policy(ROLE, "b" * 63, folder), separators=(",", ":"))
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    assert len(text) <= 2048


def test_a_session_lasts_twice_as_long_as_the_copy_needs_and_a_quarter_of_an_hour_more():
    settings = aws(D2C_COPY_BYTES_PER_SECOND="1000", D2C_AWS_SESSION_SECONDS="7200")
    assert copy_session_seconds(settings, 0, is_first_try=True) == 900
    assert copy_session_seconds(settings, 1_000_001, is_first_try=True) == 2902


def test_after_a_copy_run_that_failed_a_session_lasts_as_long_as_it_may():
    assert copy_session_seconds(aws(D2C_AWS_SESSION_SECONDS="7200"), 0, is_first_try=False) == 7200


@pytest.mark.parametrize("is_first_try", [True, False])
def test_a_file_that_may_take_longer_than_a_session_is_given_the_longest_one(is_first_try):
    settings = aws(D2C_COPY_BYTES_PER_SECOND="1000", D2C_AWS_SESSION_SECONDS="7200")
    assert copy_session_seconds(settings, 10**12, is_first_try=is_first_try) == 7200


@pytest.mark.parametrize(
    ("longest", "credentials", "seconds"),
    [
        ("43200", "session", 21_150),
        ("3600", "session", 1350),
        ("900", "session", 150),
        ("3600", "key_vault", 21_150),
    ],
)
def test_what_a_run_takes_is_copied_in_half_of_what_a_session_leaves(longest, credentials, seconds):
    settings = aws(
        D2C_COPY_BYTES_PER_SECOND="1000", D2C_AWS_SESSION_SECONDS=longest, D2C_COPY_CREDENTIALS=credentials
    )
    most_bytes = most_bytes_of_a_run(settings)
    assert most_bytes == seconds * 1000
    if credentials == "session":
        assert copy_session_seconds(settings, most_bytes, is_first_try=True) <= int(longest)


@pytest.mark.parametrize("table", ["Music", "t" * 255])
def test_a_sessions_name_tells_the_migration_and_is_one_that_sts_takes(table):
    name = copy_session_name("music-2026", table)
    assert name.startswith("d2c-copy-music-2026-")
    assert 2 <= len(name) <= 64
