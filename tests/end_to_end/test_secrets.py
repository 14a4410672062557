"""No secret that is in play shows up where many may read: looked for in all that a run leaves and answers."""

import json
import re
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError

from localcloud.aws.iam.sessions import Sessions
from localcloud.common import names
from localcloud.common.principals import PRINCIPALS
from tests.end_to_end.conftest import WEBHOOK_SECRET
from tests.end_to_end.user import API, plan

FUNCTION_KEY = "function-key-of-the-caller"
WEBHOOK_TOKEN = "secret-token"  # in the address that `tests.contract.notifications.server` gives
INSTANCES = "/runtime/webhooks/durabletask/instances"
FACTORY = (
    f"/subscriptions/{names.SUBSCRIPTION_ID}/resourceGroups/{names.RESOURCE_GROUP}"
    f"/providers/Microsoft.DataFactory/factories/{names.DATA_FACTORY}"
)
# A token of Entra ID or of an AWS session; both are signed texts of three parts.
SIGNED = re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
KEY_ID = re.compile(r"ASIA[A-Z2-7]{16}")


def secrets_of(cloud):
    """Return every secret of a local cloud by its name; of one of several lines the longest line."""
    identity = cloud.identity
    known = {one.name: getattr(identity, one.name) for one in fields(identity) if one.name != "ports"}
    known |= {f"credential of {each.client_id}": identity.credential(each) for each in PRINCIPALS}
    known |= {"webhook_secret": WEBHOOK_SECRET, "webhook_token": WEBHOOK_TOKEN, "function_key": FUNCTION_KEY}
    return {name: max(value.splitlines(), key=len) for name, value in known.items()}


class Places:
    """All that a run leaves or answers where others than the app may read it, as texts by the place."""

    def __init__(self, user, webhook):
        self._user = user
        self._webhook = webhook
        self._host = {"x-functions-key": FUNCTION_KEY}

    def logs(self):
        return [path.read_text(errors="replace") for path in self._user.cloud.state_folder.rglob("*.log")]

    def history(self):
        folder = self._user.cloud.state_folder / "functions_host"
        return [path.read_bytes().decode(errors="replace") for path in folder.glob("functions.sqlite*")]

    def durables_own_answers(self):
        listed = self._get(f"{INSTANCES}?top=1000").json()
        whole = "showHistory=true&showHistoryOutput=true&showInput=true"
        return [self._get(f"{INSTANCES}/{each['instanceId']}?{whole}").text for each in listed]

    def answers(self):
        migrations = [row["id"] for row in self._get(API).json()["migrations"]]
        found = [self._get(path).text for path in (API, "/api/dashboard", "/api/openapi.json")]
        for migration in migrations:
            found += [self._get(f"{API}/{migration}{part}").text for part in ("", "/report", "/rejected")]
            found.append(self._get(f"{API}/{migration}/report", accept="text/html").text)
        return found

    def files_of_the_lake(self):
        blobs = [
            blob
            for blob in self._user.lake.list_blobs()
            if blob.size and not blob.name.startswith("exports/")
        ]
        return [blob.name for blob in blobs] + [self._content_of(blob.name) for blob in blobs]

    def notifications(self):
        return [json.dumps(headers) + body.decode() for _, headers, body in self._webhook.requests]

    def copy_runs(self):
        identity = self._user.cloud.identity
        answer = httpx.post(
            f"{identity.url('management')}{FACTORY}/queryPipelineRuns?api-version=2018-06-01",
            json={"lastUpdatedAfter": "2020-01-01T00:00:00Z", "lastUpdatedBefore": "2100-01-01T00:00:00Z"},
            headers={"Authorization": f"Bearer {identity.management_token}"},
            verify=self._user.trust,
        )
        assert answer.status_code == 200, answer.text
        return [answer.text]

    def load_runs(self):
        identity = self._user.cloud.identity
        answer = httpx.get(
            f"{identity.url('databricks')}/api/2.2/jobs/runs/list?expand_tasks=true&run_type=SUBMIT_RUN",
            headers={"Authorization": f"Bearer {identity.databricks_token}"},
        )
        assert answer.status_code == 200, answer.text
        return [answer.text]

    def command_lines(self):
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                lines.append(path.read_bytes().decode(errors="replace"))
        return [line for line in lines if "localcloud" in line]

    def _content_of(self, name):
        try:
            return self._user.lake.download_blob(name).readall().decode(errors="replace")
        except ResourceNotFoundError:  # the watch has put it away since it was listed
            return ""

    def _get(self, path, accept="application/json"):
        return self._user.http.get(path, headers={**self._host, "accept": accept})


@pytest.fixture(scope="module")
def places(user, webhook):
    """The places, once a migration has gone through every stage and one has failed, beside what other tests ran."""
    items = [{"pk": {"S": f"k{n}"}, "big": {"N": "1" * 38}} for n in range(5)]
    user.create_table("Guarded", items)
    user.create_table("Unguarded", items, recovery=False)
    tables = [{"table": name, "container": name.lower()} for name in ("Guarded", "Unguarded")]
    user.start(plan("guarded", *tables))
    status = user.ended("guarded")
    assert {table["table"]: table["state"] for table in status["tables"]} == {
        "Guarded": "succeeded",
        "Unguarded": "failed",
    }
    return Places(user, webhook)


WHERE = [name for name in vars(Places) if not name.startswith("_")]


@pytest.mark.parametrize("where", WHERE)
def test_no_secret_is_there(user, places, where):
    texts = getattr(places, where)()
    if where == "command_lines" and not texts:
        pytest.skip("this system does not tell the command lines of processes")
    assert texts
    session_keys = {key for text in texts for key in KEY_ID.findall(text)}
    sessions = Sessions(user.cloud.identity.aws_secret_key)
    secrets = {**secrets_of(user.cloud), **{key: sessions.secret_key(key) for key in session_keys}}
    found = {name for name, secret in secrets.items() for text in texts if secret in text}
    assert not found
    assert not [text for text in texts if SIGNED.search(text)]


def test_what_is_looked_through_is_what_ran(places):
    for where in ("history", "durables_own_answers", "answers", "files_of_the_lake", "copy_runs"):
        assert "guarded" in "".join(getattr(places, where)())


def test_every_line_of_the_app_about_the_migration_says_which_table_and_stage_it_is_of(user, places):
    log = (user.cloud.state_folder / "functions_host" / "functions_host.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("migration") == "guarded"]
    started = {line["stage"] for line in mine if line.get("activity", "").startswith("start_")}
    assert started == {"export", "copy", "load"}
    assert all(
        line.get("table") in ("Guarded", "Unguarded") or line["unit"] in ("0-0", "1-0")
        for line in mine
        if "stage" in line and "attempt" in line
    )
    (failed,) = [line for line in mine if line["level"] == "WARNING" and line.get("table") == "Unguarded"]
    assert failed["stage"] == "export"
    assert "point-in-time recovery" in failed["message"]
