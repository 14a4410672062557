"""A copy of several parts: the product's activities with the local Data Factory, S3 and lake."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from activities.copy import look_at_copy, start_copy
from d2c.clients.aws.s3 import Bucket
from d2c.clients.aws.sign_in import TemporaryCredentials
from d2c.clients.azure.lake import Lake
from localcloud.aws.iam.sessions import Session, Sessions
from localcloud.common import names
from tests.builders import a_table, an_export
from tests.contract.polling import wait_until
from tests.localcloud.contract.management.conftest import KEY
from tests.localcloud.contract.management.test_session_copies import EXPIRED
from tests.unit.activities.answers import value_of
from tests.unit.activities.fakes import World
from tests.unit.clients.settings import local_settings

ROLE = f"arn:aws:iam::{names.AWS_ACCOUNT}:role/{names.AWS_ROLE}"
SIZES = {"a": 1000, "b": 900, "c": 800, "d": 10}
FILES = {f"data/{name}.json.gz": name.encode() * size for name, size in SIZES.items()}
MANIFESTS = ("manifest-files.json", "manifest-files.md5", "manifest-summary.md5", "manifest-summary.json")


class Identity:
    """The app's identity, with sessions as the local STS makes them."""

    def take_on(self, role_arn, *, session_name, seconds, policy):
        found = Sessions(KEY).issue(Session(role_arn, session_name, policy), seconds)
        keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        return TemporaryCredentials(*keys, datetime.now(UTC))


class Copies:
    """Copies of one table's export, part by part as `run_to_its_end` has them copied."""

    def __init__(self, around, management, table, bytes_per_second):
        self.world = World(Lake(around.files))
        self.world.settings = local_settings(
            D2C_EXPORT_BUCKET="exports",
            D2C_LAKE_FILE_SYSTEM="lake",
            D2C_AWS_ROLES=json.dumps({names.AWS_ACCOUNT: ROLE}),
            D2C_AWS_TOKEN_AUDIENCE="api://d2c",
            D2C_COPY_BYTES_PER_SECOND=str(bytes_per_second),
        )
        self.world.bucket = Bucket(around.s3, "exports")
        self.world.identity = Identity()
        self.lake_folder = f"exports/m/{table}/1"
        self.go_on_with(management)
        export = an_export(folder=f"p/m/{table}/AWSDynamoDB/1", id="1", bytes=sum(SIZES.values()))
        self._payload = a_table(table=table, export=export, started_at=datetime.now(UTC).isoformat())
        for name, content in (FILES | dict.fromkeys(MANIFESTS, b"{}")).items():
            around.s3.put_object(Bucket="exports", Key=f"{export['folder']}/{name}", Body=content)

    def go_on_with(self, management):
        self._management, self.world.factory = management, management.factory
        self.runs = []

    def start(self, part, **changes):
        payload = {**self._payload, "attempt": 1, "part": part, **changes}
        self.runs.append(value_of(self.world.answer(start_copy, payload)))
        return {**payload, "run": self.runs[-1]}

    def look(self, payload):
        self._management.ended(payload["run"])
        return value_of(self.world.answer(look_at_copy, payload))

    def written(self):
        """Return how many files each run has written."""
        since = datetime.now(UTC)
        return [self.world.factory.get_copy_progress(run, since=since).files for run in self.runs]


def test_a_long_copy_arrives_in_parts_each_file_once_and_its_summary_last(around, management):
    copies = Copies(around, management, "Long", bytes_per_second=1)
    looks = []
    while not looks or looks[-1]["state"] == "part_done":
        looks.append(copies.look(copies.start(len(looks) + 1)))
    assert [look["state"] for look in looks] == ["part_done", "part_done", "succeeded"]
    assert looks[0]["progress"] == {"files": 1, "done": 1000, "total": 2710}
    assert looks[1]["progress"] == {"files": 2, "done": 1900, "total": 2710}
    assert copies.written() == [1, 1, 2 + len(MANIFESTS)]
    assert looks[-1]["result"]["files"] == len(FILES) + len(MANIFESTS)
    for name, content in FILES.items():
        assert around.files.download_blob(f"{copies.lake_folder}/{name}").readall() == content


def expire(around, management, run):
    faults = f"{around.aws.url}/_localcloud/faults"
    httpx.post(faults, json=[EXPIRED])
    try:
        management.ended(run)
    finally:
        httpx.delete(faults)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_run_that_ends_in_the_middle_is_followed_by_one_with_the_rest(around, slow, management, end):
    copies = Copies(around, slow, f"Broken-{end}", bytes_per_second=10**6)
    first = copies.start(1)
    wait_until(lambda: copies.written()[0] >= 1)
    if end == "expired":
        expire(around, slow, first["run"])
        assert copies.look(first)["state"] == "part_done"
        following = {"part": 2}
    else:
        slow.factory.cancel_run(first["run"])
        slow.ended(first["run"])
        following = {"part": 1, "operation": 1}
    arrived = around.copied(copies.lake_folder)
    assert 1 <= len(arrived) < len(FILES)
    copies.go_on_with(management)
    assert copies.look(copies.start(**following))["state"] == "succeeded"
    assert copies.written() == [len(FILES) + len(MANIFESTS) - len(arrived)]
    assert arrived.items() <= around.copied(copies.lake_folder).items(), (
        "what has arrived is not written again"
    )
