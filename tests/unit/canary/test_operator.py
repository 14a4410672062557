"""The operator's clients, before substitutes of the SDKs."""

from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from botocore.exceptions import ClientError

from d2c.canary.operator.aws import OperatorAws
from d2c.canary.operator.cosmos import OperatorCosmos
from d2c.canary.operator.factory import OperatorFactory
from d2c.canary.operator.workspace import OperatorWorkspace
from d2c.errors import PermanentError, TransientError

from .world import ACCOUNT, REGION, STARTED, deployment

SETTINGS = deployment().settings
PLACE = (SETTINGS.resource_group, SETTINGS.cosmos_account)


def aws(**calls):
    return OperatorAws(SimpleNamespace(**calls), None, ACCOUNT, REGION)


def refusal(code):
    def refuse(**_):
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "AnyCall")

    return refuse


def test_binaries_of_an_item_reach_boto3_as_bytes():
    written = []
    aws(batch_write_item=lambda RequestItems: written.append(RequestItems) or {}).write(
        "t", [{"pk": {"S": "AA=="}, "m": {"M": {"b": {"B": "AA=="}, "bs": {"BS": ["/w=="]}}}}]
    )
    (request,) = written[0]["t"]
    assert request["PutRequest"]["Item"] == {
        "pk": {"S": "AA=="},
        "m": {"M": {"b": {"B": b"\x00"}, "bs": {"BS": [b"\xff"]}}},
    }


class SlowTable:
    """A table that takes some items of each batch, and leaves the others unprocessed."""

    def __init__(self, *taken):
        self.items, self._taken = [], list(taken)

    def batch_write_item(self, RequestItems):
        ((name, requests),) = RequestItems.items()
        assert 0 < len(requests) <= 25
        taken = self._taken.pop(0) if self._taken else len(requests)
        self.items += [request["PutRequest"]["Item"]["pk"]["S"] for request in requests[:taken]]
        return {"UnprocessedItems": {name: requests[taken:]} if taken < len(requests) else {}}


def test_items_that_a_table_leaves_unprocessed_are_sent_again_after_a_pause():
    table, pauses = SlowTable(10, 0, 0, 24, 25), []
    names = [str(number) for number in range(60)]
    OperatorAws(table, None, ACCOUNT, REGION, pauses.append).write(
        "t", [{"pk": {"S": name}} for name in names]
    )
    assert sorted(table.items) == sorted(names)
    assert pauses == [0.1, 0.2, 0.4, 0.1]


def test_a_table_that_takes_no_items_ends_the_canary_in_bounded_time():
    table, pauses = SlowTable(*[0] * 100), []
    with pytest.raises(TransientError, match="takes no items"):
        OperatorAws(table, None, ACCOUNT, REGION, pauses.append).write("t", [{"pk": {"S": "a"}}])
    assert sum(pauses) < 30


def test_a_table_that_is_not_there_yet_is_waited_for_and_any_other_refusal_is_not():
    assert not aws(describe_table=refusal("ResourceNotFoundException")).is_active("t")
    assert not aws(
        update_continuous_backups=refusal("ContinuousBackupsUnavailableException")
    ).turn_on_recovery("t")
    with pytest.raises(PermanentError, match="AccessDenied"):
        aws(update_continuous_backups=refusal("AccessDenied")).turn_on_recovery("t")


class Management:
    """The part of azure-mgmt-cosmosdb that removes databases."""

    def __init__(self, error=None):
        self.asked = []
        self._error = error
        self.sql_resources = self

    def list_sql_databases(self, *place):
        return [SimpleNamespace(name=name) for name in ("shop", "d2c-canary-0123abcd")]

    def begin_delete_sql_database(self, *place):
        if self._error:
            raise self._error
        return SimpleNamespace(wait=lambda seconds: self.asked.append((place, seconds)))


def test_without_a_key_databases_are_removed_through_the_management_plane_and_waited_for():
    management = Management()
    cosmos = OperatorCosmos(None, management, SETTINGS)
    assert cosmos.databases("d2c-canary-") == ["d2c-canary-0123abcd"]
    cosmos.delete_database("d2c-canary-0123abcd")
    assert management.asked == [((*PLACE, "d2c-canary-0123abcd"), 300)]


def test_a_database_that_is_gone_is_no_error_and_one_that_may_not_be_removed_is():
    OperatorCosmos(None, Management(ResourceNotFoundError()), SETTINGS).delete_database("d")
    refused = HttpResponseError(
        response=SimpleNamespace(status_code=403, reason="Forbidden", headers={}, request=None)
    )
    with pytest.raises(PermanentError):
        OperatorCosmos(None, Management(refused), SETTINGS).delete_database("d")


def run_of(number, folder):
    return SimpleNamespace(
        run_id=number, pipeline_name="p", status="Succeeded", parameters={"lakeFolder": folder}
    )


def test_copy_runs_are_those_into_the_folder_on_any_page():
    pages = {
        None: SimpleNamespace(value=[run_of(1, "exports/other/t")], continuation_token="2"),
        "2": SimpleNamespace(value=[run_of(2, "exports/mine/t")], continuation_token=None),
    }
    activity = SimpleNamespace(activity_name="Copy", input={}, output={"files": 1})
    client = SimpleNamespace(
        pipeline_runs=SimpleNamespace(
            query_by_factory=lambda group, factory, query: pages[query.get("continuationToken")]
        ),
        activity_runs=SimpleNamespace(query_by_pipeline_run=lambda *_: SimpleNamespace(value=[activity])),
    )
    (run,) = OperatorFactory(client, SETTINGS).copy_runs("exports/mine/", STARTED)
    assert (run.parameters["lakeFolder"], run.activities[0]["output"]) == ("exports/mine/t", {"files": 1})


def test_load_runs_are_those_whose_request_is_of_the_migration():
    def run(number, *requests):
        notebooks = [SimpleNamespace(base_parameters={"request": request}) for request in requests]
        tasks = [SimpleNamespace(notebook_task=notebook) for notebook in notebooks]
        return SimpleNamespace(run_id=number, tasks=tasks)

    runs = [
        run(1, "abfss://lake@a/migrations/mine/w.json"),
        run(2, "abfss://lake@a/migrations/mine2/w.json"),
        run(3),
    ]
    client = SimpleNamespace(jobs=SimpleNamespace(list_runs=lambda **_: iter(runs)))
    assert OperatorWorkspace(client).load_runs("mine") == [1]
