"""A deployment that behaves as assumed, and a canary whose migration has ended in it."""

import json
from datetime import UTC, datetime, timedelta

from d2c.canary import samples
from d2c.canary.checks.documents import expected_documents
from d2c.canary.names import Names
from d2c.canary.operator.factory import CopyRun
from d2c.canary.samples import plan_of
from d2c.canary.scene import Deployment, Scene
from d2c.clients.azure.lake import Lake
from d2c.errors import NotFoundError
from tests.unit.clients.settings import local_settings
from tests.unit.file_system import SubstituteFileSystem

ACCOUNT, REGION = "111122223333", "eu-west-1"
NAMES = Names("d2c-canary-0123abcd")
UNIT = f"migrations/{NAMES.run}/work/000000/units/0-0-1.json"
STARTED = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLUSTER = {"spark_conf": {"spark.hadoop.fs.azure.account.auth.type": "OAuth"}}


class FakeApp:
    """The HTTP API; what a call answers is in a field."""

    def __init__(self):
        self.statuses = [{"state": "succeeded", "tables": []}]
        self.changes = []
        self.started = []

    def start(self, plan):
        self.started.append(json.loads(plan))
        return {}

    def check(self, plan):
        return {"id": "check-1"}

    def check_status(self, check):
        return {"state": "succeeded", "checks": findings()}

    def status(self, migration):
        if not self.statuses:
            raise NotFoundError("There is no such migration.", "Start it.")
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def report(self, migration):
        return report()

    def change(self, migration, action):
        self.changes.append((migration, action))
        self.statuses = [{"state": "cancelled", "tables": []}]
        return {}


class FakeAws:
    account, region = ACCOUNT, REGION

    def __init__(self):
        self.tables = {}
        self.objects = {
            f"d2c/{NAMES.run}/t/AWSDynamoDB/1/manifest-summary.json": b'{"s3SseAlgorithm": "AES256"}',
            f"d2c/{NAMES.run}/t/AWSDynamoDB/1/data/a.json.gz": b"",
        }
        self.algorithm = "AES256"
        self.latest = datetime.max.replace(tzinfo=UTC)
        self.deleted = []

    def create_table(self, name, keys, tags):
        self.tables[name] = {"keys": keys, "tags": tags, "items": []}

    def is_active(self, name):
        return name in self.tables

    def turn_on_recovery(self, name):
        return True

    def latest_restorable(self, name):
        return self.latest

    def write(self, name, items):
        self.tables[name]["items"] += items

    def tables_with(self, prefix, tag):
        return [
            name for name, table in self.tables.items() if name.startswith(prefix) and tag in table["tags"]
        ]

    def delete_table(self, name):
        del self.tables[name]

    def keys(self, bucket, prefix):
        return [key for key in self.objects if key.startswith(prefix)]

    def read(self, bucket, key):
        return self.objects[key]

    def encryption(self, bucket, key):
        return self.algorithm

    def delete(self, bucket, keys):
        self.deleted += keys


class FakeCosmos:
    def __init__(self):
        self.containers = {
            table: expected_documents(table, samples.items_of(table)) for table in samples.SAMPLES
        }
        self.charge = 5.8
        self.found = [NAMES.run]
        self.deleted = []

    def documents(self, database, container):
        return self.containers[container]

    def read(self, database, container, document_id, partition_key):
        found = [each for each in self.containers[container] if each["id"] == document_id]
        return found[0] if found else None

    def write_charge(self, database, container, document):
        return self.charge

    def databases(self, prefix):
        return [name for name in self.found if name.startswith(prefix)]

    def delete_database(self, database):
        self.deleted.append(database)


class FakeFactory:
    def __init__(self):
        stars = {"awsSecretAccessKey": "**********", "awsSessionToken": "**********"}
        activity = {"activity": "CopyFiles", "input": {}, "output": {"filesWritten": 3}}
        self.runs = [CopyRun("copy_export_session", "Succeeded", {"runKey": "a" * 64, **stars}, [activity])]

    def copy_runs(self, folder, since):
        return self.runs


class FakeWorkspace:
    def __init__(self):
        self.runs = [7]

    def load_runs(self, migration):
        return self.runs


class Clock:
    """Goes on only while somebody pauses."""

    def __init__(self):
        self.seconds = 0.0

    def pause(self, seconds):
        self.seconds += seconds


def findings():
    return [
        {
            "system": "AWS",
            "check": "identity",
            "thing": "x",
            "state": "ok",
            "finding": "Signed in as role d2c.",
        },
        {"system": "Lake", "check": "hierarchical namespace", "thing": "x", "state": "ok", "finding": "On."},
    ]


def report():
    return {
        "state": "succeeded",
        "started_at": STARTED.isoformat(),
        "tables": [_part(kind, method) for kind, method in samples.METHODS.items()],
    }


def _part(kind, method):
    count = len(samples.items_of(kind))
    zero = 0 if method == "full" else None
    stages = [
        {"stage": stage, "started_at": (STARTED + timedelta(seconds=number)).isoformat(), "seconds": 5.0}
        for number, stage in enumerate(("assess", "load", "verify"))
    ]
    return {
        "table": NAMES.table(kind),
        "state": "succeeded",
        "error": None,
        "stages": stages,
        "verification": {
            "method": method, "expected": count, "actual": count, "missing": 0, "unexpected": 0, "different": zero,
        },
    }  # fmt: skip


def deployment(**changes):
    clock, files = Clock(), SubstituteFileSystem()
    settings = local_settings(
        D2C_CLUSTER=json.dumps(CLUSTER),
        D2C_AWS_ROLES=json.dumps({ACCOUNT: f"arn:aws:iam::{ACCOUNT}:role/d2c"}),
        D2C_AWS_TOKEN_AUDIENCE="api://00000000-0000-0000-0000-0000000000d2",
        D2C_COPY_CREDENTIALS="session",
        AZURE_SUBSCRIPTION_ID="11111111-2222-3333-4444-555555555555",
    )
    fields = {
        "settings": settings,
        "environment": {"D2C_COSMOS_KEY": settings.cosmos_key},
        "app": FakeApp(),
        "aws": FakeAws(),
        "lake": Lake(files),
        "cosmos": FakeCosmos(),
        "factory": FakeFactory(),
        "workspace": FakeWorkspace(),
        "differences": list,
        "pause": clock.pause,
        "clock": lambda: clock.seconds,
    }
    return Deployment(**{**fields, **changes})


def new_scene(**changes):
    """Return a canary that has not begun."""
    return Scene(deployment(**changes), NAMES, plan_of(NAMES, REGION, ACCOUNT))


def moved_scene(**changes):
    """Return a canary whose tables have been moved."""
    scene = new_scene(**changes)
    scene.findings, scene.report, scene.plan_answer = findings(), report(), (4.0, {"id": NAMES.run})
    running = {"state": "running", "percent": 0}
    scene.statuses = [
        {"state": "running", "tables": [{**running, "table": "t", "stage": stage}]}
        for stage in ("export", "copy")
    ]
    for table in scene.tables:
        path = f"migrations/{NAMES.run}/tables/{table}/start-0-1/progress.json"
        scene.deployment.lake.write_json(path, {"stages": [{"stage": "assess"}]})
    requests = {"requests": [f"{table}/request.json" for table in scene.tables]}
    scene.deployment.lake.write_json(UNIT, requests)
    return scene
