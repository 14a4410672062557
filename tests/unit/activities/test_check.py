import json
from types import SimpleNamespace

import pytest

from activities import check, check_systems
from activities.check_systems import LINKED_SERVICES, MORE_PARAMETERS, SENT_PARAMETERS, Checked
from activities.copy import PIPELINES
from d2c.app.aws_settings import COPY_CREDENTIALS
from d2c.checks.systems import SYSTEMS
from d2c.clients.aws.dynamodb import TableDescription
from d2c.errors import PermanentError
from d2c.plan.model import Plan
from tests.unit.app.test_aws_settings import ROLE, WITH_ROLES
from tests.unit.clients.settings import local_settings
from tests.unit.pages import ROOT

from .fakes import FakeLake

CHECK = "check-shop.0123456789ab"
PLAN = {"name": "shop", "database": "shop", "region": "eu-west-1", "tables": [{"table": "Music"}]}


def function(built):
    return built._function.get_user_function()


@pytest.fixture
def lake(monkeypatch):
    lake = FakeLake()
    for module in (check, check_systems):
        monkeypatch.setattr(module, "connect_lake", lambda settings: lake)
    monkeypatch.setattr(check, "app_settings", local_settings)
    lake.write_json(f"checks/{CHECK}/plan.json", PLAN)
    return lake


def asked(**more):
    return {"check": CHECK, "plan": {"path": f"checks/{CHECK}/plan.json"}, **more}


def call(activity, payload):
    answer = function(activity)(payload)
    json.dumps(answer)
    return answer["value"]


def patterns(monkeypatch, names):
    dynamodb = SimpleNamespace(list_tables=lambda: names)
    monkeypatch.setattr(check, "connect_dynamodb", lambda settings, account, region: dynamodb)


def test_every_system_has_its_check():
    assert set(check_systems.CHECKS) == set(SYSTEMS)


@pytest.mark.parametrize("credentials", COPY_CREDENTIALS)
def test_the_pipeline_takes_the_parameters_that_are_looked_for_and_its_linked_services_are_there(credentials):
    pipeline = json.loads((ROOT / "adf" / "pipeline" / f"{PIPELINES[credentials]}.json").read_text())
    assert set(pipeline["properties"]["parameters"]) == {*SENT_PARAMETERS, *MORE_PARAMETERS[credentials]}
    services = {path.stem for path in (ROOT / "adf" / "linkedService").glob("*.json")}
    assert set(LINKED_SERVICES[credentials]) <= services


@pytest.mark.parametrize("longest", [3600, 7200])
def test_the_role_of_copies_is_taken_on_for_as_long_as_a_copy_may_need(monkeypatch, longest):
    asked_for = []

    def take_on(role_arn, **asked):
        asked_for.append((role_arn, asked["seconds"]))

    settings = local_settings(**{**WITH_ROLES, "D2C_AWS_SESSION_SECONDS": str(longest)})
    identity = SimpleNamespace(take_on=take_on)
    monkeypatch.setattr(check_systems, "web_identity", lambda settings, region: identity)
    monkeypatch.setattr(check_systems, "aws_caller", lambda settings, account, region: "arn")
    found = check_systems.CHECKS["aws"](settings, Plan.model_validate(PLAN), {})
    assert [one["check"] for one in found.findings] == ["identity", "copy session"]
    assert asked_for == [(ROLE, longest)]


def test_many_tables_are_checked_in_parts(lake, monkeypatch):
    lake.write_json(f"checks/{CHECK}/plan.json", {**PLAN, "tables": [{"table": "t*"}]})
    patterns(monkeypatch, [f"t{n:02}" for n in range(60)])
    found = call(check.list_checked_tables, asked())
    sizes = [len(lake.read_json(part["path"])) for part in found["parts"]]
    assert sizes == [25, 25, 10]


def test_a_pattern_that_nothing_matches_is_a_finding_and_the_named_tables_are_checked(lake, monkeypatch):
    lake.write_json(f"checks/{CHECK}/plan.json", {**PLAN, "tables": [{"table": "x*"}, {"table": "Music"}]})
    patterns(monkeypatch, ["Music"])
    found = call(check.list_checked_tables, asked())
    (part,) = found["parts"]
    assert [table["table"] for table in lake.read_json(part["path"])] == ["Music"]
    (finding,) = lake.read_json(found["result"]["path"])["findings"]
    assert (finding["state"], finding["check"]) == ("failed", "tables")
    assert "x*" in finding["finding"]


def test_a_systems_findings_are_kept_in_the_lake(lake, monkeypatch):
    monkeypatch.setitem(
        check_systems.CHECKS, "aws", lambda settings, plan, payload: Checked([{"state": "ok"}])
    )
    reference = call(check.check_system, asked(system="aws"))
    assert lake.read_json(reference["path"]) == {"findings": [{"state": "ok"}], "facts": {}}


def test_where_the_lake_cannot_be_written_findings_stay_inline(lake, monkeypatch):
    def refuse(path, value):
        raise PermanentError("Lake file x: the service answered 403.", "Grant the role.")

    monkeypatch.setattr(lake, "write_json", refuse)
    monkeypatch.setitem(
        check_systems.CHECKS, "aws", lambda settings, plan, payload: Checked([{"state": "ok"}])
    )
    reference = call(check.check_system, {"check": CHECK, "plan": {"value": PLAN}, "system": "aws"})
    assert reference == {"value": {"findings": [{"state": "ok"}], "facts": {}}}


def test_a_table_and_its_container_are_looked_at_and_leave_what_the_estimate_needs(lake, monkeypatch):
    description = TableDescription("arn", "Artist", None, 5_000_000, 10**10, None)
    dynamodb = SimpleNamespace(
        describe_table=lambda name: description,
        recovery_window=lambda name: SimpleNamespace(earliest=None, latest=None),
        try_listing_exports=lambda arn: None,
        try_exporting=lambda arn, bucket: None,
    )
    monkeypatch.setattr(check, "connect_dynamodb", lambda settings, account, region: dynamodb)
    management = SimpleNamespace(find_container=lambda database, container: None)
    monkeypatch.setattr(check, "connect_cosmos_management", lambda settings: management)
    tables = call(check.list_checked_tables, asked())["parts"][0]
    found = lake.read_json(call(check.check_tables, asked(tables=tables, part=0))["path"])
    states = {(one["system"], one["check"]): one["state"] for one in found["findings"]}
    assert states["DynamoDB", "point-in-time recovery"] == "failed"
    assert states["Cosmos DB", "container"] == "ok"
    (facts,) = found["tables"]
    assert (facts["item_count"], facts["load_ru"], facts["after_ru"]) == (5_000_000, 27_200, 1000)


def test_all_findings_are_summed_up_with_the_estimate_and_a_failed_one_fails_the_whole(lake):
    table = {
        "table": "Music",
        "database": "shop",
        "container": "Music",
        "account": None,
        "region": "eu-west-1",
        "verify": "full",
        "item_count": 1000,
        "size_bytes": 10**6,
        "load_ru": 4000,
        "after_ru": 1000,
        "ru_per_second": None,
    }
    cluster = {"num_workers": 3, "node_type_id": "Standard_D4ds_v5"}
    results = [
        {"value": {"findings": [{"state": "ok"}], "tables": [table]}},
        {"value": {"findings": [{"state": "failed"}], "facts": {"cluster": cluster}}},
        {"path": "gone"},
    ]
    summed = call(check.sum_up_check, asked(results=results))
    assert summed["state"] == "failed"
    assert summed["counts"] == {"ok": 2, "skipped": 0, "warning": 0, "failed": 1}
    kept = lake.read_json(summed["result"]["path"])
    assert kept["estimate"]["total"]["items"] == 1000
    assert kept["estimate"]["basis"]["cluster"]["nodes"] == 4
