import json
from types import SimpleNamespace

import pytest

from activities import check, check_systems
from activities.check_systems import LINKED_SERVICES, MORE_PARAMETERS, SENT_PARAMETERS
from activities.copy_lane.runs import PIPELINES
from d2c.app.aws_settings import COPY_CREDENTIALS
from d2c.checks.systems import SYSTEMS
from d2c.clients.aws.dynamodb import TableDescription
from d2c.errors import PermanentError
from tests.unit.app.test_aws_settings import ROLE, WITH_ROLES
from tests.unit.clients.settings import local_settings
from tests.unit.pages import ROOT

from .answers import value_of

CHECK = "check-shop.0123456789ab"
PLAN = {"name": "shop", "database": "shop", "region": "eu-west-1", "tables": [{"table": "Music"}]}


@pytest.fixture
def world(world):
    world.settings = local_settings()
    world.lake.write_json(f"checks/{CHECK}/plan.json", PLAN)
    return world


@pytest.fixture
def lake(world):
    return world.lake


def check_input(**more):
    return {"check": CHECK, "plan": {"path": f"checks/{CHECK}/plan.json"}, **more}


def call(world, activity, payload):
    return value_of(world.answer(activity, payload))


def test_every_system_has_its_check():
    assert set(check_systems.CHECKS) == set(SYSTEMS)


@pytest.mark.parametrize("credentials", COPY_CREDENTIALS)
def test_the_pipeline_takes_the_parameters_that_are_looked_for_and_its_linked_services_are_there(credentials):
    pipeline = json.loads((ROOT / "adf" / "pipeline" / f"{PIPELINES[credentials]}.json").read_text())
    assert set(pipeline["properties"]["parameters"]) == {*SENT_PARAMETERS, *MORE_PARAMETERS[credentials]}
    services = {path.stem for path in (ROOT / "adf" / "linkedService").glob("*.json")}
    assert set(LINKED_SERVICES[credentials]) <= services


@pytest.mark.parametrize("longest", [3600, 7200])
def test_the_role_of_copies_is_assumed_for_as_long_as_a_copy_may_need(world, longest):
    world.settings = local_settings(**{**WITH_ROLES, "D2C_AWS_SESSION_SECONDS": str(longest)})
    reference = call(world, check.check_system, check_input(system="aws"))
    findings = world.lake.read_json(reference["path"])["findings"]
    assert [one["check"] for one in findings] == ["identity", "copy session"]
    ((role, arguments),) = world.identity.assumed
    assert (role, arguments["seconds"]) == (ROLE, longest)


def test_many_tables_are_checked_in_parts(world, lake):
    lake.write_json(f"checks/{CHECK}/plan.json", {**PLAN, "tables": [{"table": "t*"}]})
    world.dynamodb.list_tables = lambda: [f"t{n:02}" for n in range(60)]
    found = call(world, check.list_checked_tables, check_input())
    sizes = [len(lake.read_json(part["path"])) for part in found["parts"]]
    assert sizes == [25, 25, 10]


def test_a_pattern_that_nothing_matches_is_a_finding_and_the_named_tables_are_checked(world, lake):
    lake.write_json(f"checks/{CHECK}/plan.json", {**PLAN, "tables": [{"table": "x*"}, {"table": "Music"}]})
    world.dynamodb.list_tables = lambda: ["Music"]
    found = call(world, check.list_checked_tables, check_input())
    (part,) = found["parts"]
    assert [table["table"] for table in lake.read_json(part["path"])] == ["Music"]
    finding, allowed = lake.read_json(found["result"]["path"])["findings"]
    assert (finding["state"], finding["check"]) == ("failed", "tables")
    assert (allowed["state"], allowed["check"]) == ("ok", "allowed tables and databases")
    assert "x*" in finding["finding"]


def test_a_systems_findings_are_kept_in_the_lake(world, lake):
    reference = call(world, check.check_system, check_input(system="aws"))
    result = lake.read_json(reference["path"])
    assert [finding["state"] for finding in result["findings"]] == ["ok"]
    assert result["facts"] == {}


def test_where_the_lake_cannot_be_written_findings_stay_inline(world, lake):
    def refuse(path, value):
        raise PermanentError("Lake file x: the service answered 403.", "Grant the role.")

    lake.write_json = refuse
    payload = {"check": CHECK, "plan": {"value": PLAN}, "system": "aws"}
    reference = call(world, check.check_system, payload)
    assert [finding["state"] for finding in reference["value"]["findings"]] == ["ok"]


def test_a_table_and_its_container_are_looked_at_and_leave_what_the_estimate_needs(world, lake):
    description = TableDescription("arn", "Artist", None, 5_000_000, 10**10, None)
    world.dynamodb = SimpleNamespace(
        describe_table=lambda name: description,
        recovery_window=lambda name: SimpleNamespace(earliest=None, latest=None),
        try_listing_exports=lambda arn: None,
        try_exporting=lambda arn, bucket: None,
    )
    tables = call(world, check.list_checked_tables, check_input())["parts"][0]
    found = lake.read_json(call(world, check.check_tables, check_input(tables=tables, part=0))["path"])
    states = {(one["system"], one["check"]): one["state"] for one in found["findings"]}
    assert states["DynamoDB", "point-in-time recovery"] == "failed"
    assert states["Cosmos DB", "container"] == "ok"
    (facts,) = found["tables"]
    assert (facts["item_count"], facts["load_ru"], facts["after_ru"]) == (5_000_000, 9_000, 400)


def test_all_findings_are_summed_up_with_the_estimate_and_a_failed_one_fails_the_whole(world, lake):
    table = {
        "table": "Music",
        "database": "shop",
        "container": "Music",
        "account": None,
        "region": "eu-west-1",
        "verify": "full",
        "item_count": 1000,
        "size_bytes": 10**6,
        "throughput": {"load_ru_per_second": "auto"},
        "load_ru": 400,
        "after_ru": 400,
        "ru_per_second": None,
    }
    cluster = {"num_workers": 3, "node_type_id": "Standard_D4ds_v5"}
    results = [
        {"value": {"findings": [{"state": "ok"}], "tables": [table]}},
        {"value": {"findings": [{"state": "failed"}], "facts": {"cluster": cluster}}},
        {"path": "gone"},
    ]
    summed = call(world, check.sum_up_check, check_input(results=results))
    assert summed["state"] == "failed"
    assert summed["counts"] == {"ok": 2, "skipped": 0, "warning": 0, "failed": 1}
    kept = lake.read_json(summed["result"]["path"])
    assert kept["estimate"]["total"]["items"] == 1000
    assert kept["estimate"]["basis"]["cluster"]["nodes"] == 4
    assert kept["estimate"]["total"]["load_runs"] == 1
