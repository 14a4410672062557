"""A load run that loses its cluster in the midst of a table: the next one goes on with the data files that are left."""

import gzip
import json
import random

import httpx

from localcloud.aws.api import export_files
from localcloud.common import names
from tests.contract.polling import wait_until
from tests.end_to_end.user import API, ENDED, plan

TABLE = "Halves"
ITEMS = 5_000
ITEMS_PER_FILE = 250
EXPORT_ID = "01780000000123-0ddba115"
FOLDER = f"exports/halves/AWSDynamoDB/{EXPORT_ID}"
ARN = f"arn:aws:dynamodb:{names.AWS_REGION}:{names.AWS_ACCOUNT}:table/{TABLE}"
TIME = "2026-06-01T12:00:00.000Z"
EXPORT = export_files.ExportDescription(
    export_arn=f"{ARN}/export/{EXPORT_ID}",
    table_arn=ARN,
    table_id="0123",
    start_time=TIME,
    end_time=TIME,
    export_time=TIME,
    bucket="theirs",
    prefix=None,
)
# So few that the load takes a while.
RU_PER_SECOND = 4_000


def items():
    """Return items of about 2 KB, random ones: compressed they are still more than one Spark task takes."""
    chosen = random.Random(17)
    return [
        {"pk": {"S": f"k{number}"}, "data": {"S": chosen.randbytes(1_000).hex()}} for number in range(ITEMS)
    ]


def put_export(user):
    """Put an export of many files into the lake, as somebody else would copy it; return the keys by their file."""
    keys = {}
    for key, content in export_files.export_objects(EXPORT, items()):
        name = key.removeprefix(f"{EXPORT.folder}/")
        user.lake.upload_blob(f"{FOLDER}/{name}", content)
        if name.startswith("data/"):
            lines = gzip.decompress(content).splitlines()
            keys[name.removeprefix("data/")] = {json.loads(line)["Item"]["pk"]["S"] for line in lines}
    return keys


def migration_of(user, name):
    """Return the migration that an export has started."""

    def started():
        listed = user.http.get(API).json()["migrations"]
        return [row["id"] for row in listed if row["id"].startswith(f"{name}-")]

    (migration,) = wait_until(started)
    return migration


def done_files(user, migration, stage, attempt):
    """Return the data files that a load run has done of a stage."""
    prefix = f"migrations/{migration}/tables/{TABLE}/start-0-done/groups/start-0-{attempt}.{stage}."
    groups = [
        json.loads(user.lake.download_blob(name).readall())
        for name in user.lake.list_blob_names(name_starts_with=prefix)
    ]
    return {tally["file"] for group in groups for tally in group["tallies"]}


def etags(user, migration):
    container = user.cosmos.get_database_client("halves").get_container_client(TABLE.lower())
    found = container.query_items("SELECT c.id, c._etag FROM c", enable_cross_partition_query=True)
    return {one["id"]: one["_etag"] for one in found}


def request_units(user):
    """Return the request units that the container has been charged so far."""
    with httpx.Client(base_url=user.cloud.identity.url("cosmos"), verify=user.trust) as client:
        answer = client.get(
            "/_localcloud/statistics", headers={"x-localcloud-key": user.cloud.identity.cosmos_key}
        )
        return answer.json()["containers"][f"halves/{TABLE.lower()}"]["request_units"]


def test_a_lost_cluster_costs_the_data_files_in_flight_and_not_the_table(user, monkeypatch):
    monkeypatch.setattr(export_files, "ITEMS_PER_FILE", ITEMS_PER_FILE)
    user.create_table(TABLE, [])
    asked = plan(
        "halves",
        {"table": TABLE, "container": TABLE.lower()},
        start="when_exports_arrive",
        throughput={"load_ru_per_second": RU_PER_SECOND, "after_load_ru_per_second": RU_PER_SECOND},
        verify="counts",
    )
    assert user.http.post(API, json=asked).status_code == 202
    keys = put_export(user)
    migration = migration_of(user, "halves")

    def some_are_done():
        assert user.status(migration)["state"] not in ENDED
        return done_files(user, migration, "load", 1)

    wait_until(some_are_done)
    user.kill("databricks")

    done, before, charged = (
        done_files(user, migration, "load", 1),
        etags(user, migration),
        request_units(user),
    )
    assert 0 < len(done) < len(keys)
    user.cloud.start("databricks")
    assert user.ended(migration)["state"] == "succeeded"

    untouched = set().union(*(keys[name] for name in done))
    after = etags(user, migration)
    assert {name for name, etag in before.items() if after[name] == etag} == untouched
    assert len(after) == ITEMS
    # What is left is written once: its share of all, and not all of it again.
    share = 1 - len(untouched) / ITEMS
    whole = charged / len(before) * ITEMS
    assert request_units(user) - charged < 1.1 * share * whole
    assert done_files(user, migration, "assess", 2) == set()
    assert done.isdisjoint(done_files(user, migration, "load", 2))
    (table,) = user.report(migration)["tables"]
    assert table["items"] == {"exported": ITEMS, "written": ITEMS, "rejected": 0, "expired": 0}
    assert (table["verification"]["expected"], table["verification"]["missing"]) == (ITEMS, 0)
