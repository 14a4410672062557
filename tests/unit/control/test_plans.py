import json
from types import SimpleNamespace

import pytest

from d2c.clients.aws.dynamodb import RecoveryWindow, TableDescription
from d2c.control import plans
from d2c.mapping.indexing import TableIndex
from d2c.plan.model import parse_plan
from tests.unit.clients.settings import local_settings

ASKED = {"region": "eu-west-1", "database": "shop", "tables": ["shop-*"]}
INDEX = TableIndex("byState", "GSI", ("State",), ("Total", "At"), ("S", "N", "S"))
TABLE = TableDescription("arn", "pk", "sk", 10, 1000, "until", indexes=(INDEX,), write_units=100)


@pytest.fixture
def dynamodb(monkeypatch):
    """Let the app see two tables of DynamoDB; the value has where it looked."""
    looked: list[tuple[str | None, str]] = []

    def connect(account, region):
        looked.append((account, region))
        return SimpleNamespace(
            list_tables=lambda: ["other", "shop-a"],
            describe_table=lambda name: TABLE,
            recovery_window=lambda name: RecoveryWindow(None, None),
        )

    monkeypatch.setattr(plans, "Clients", lambda settings: SimpleNamespace(dynamodb=connect))
    return looked


async def propose(app, **changes):
    return await app.call("POST", "plans", body=json.dumps({**ASKED, **changes}).encode())


async def test_a_proposal_is_as_the_document_says_and_starts_nothing(app, dynamodb):
    status, answer = await propose(app)
    assert status == 200
    assert parse_plan(json.dumps(answer["plan"]).encode()).name == "shop"
    assert {each["field"] for each in answer["questions"]} == {
        "exclude",
        "indexing",
        "throughput.after_load_ru_per_second",
    }
    assert [each["table"] for each in answer["estimate"]["tables"]] == ["shop-a"]
    assert set(dynamodb) == {(None, "eu-west-1")}
    assert (app.client.started, app.file_system.files) == ([], {})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tables": []}, "tables: "),
        ({"colour": "red"}, "colour: unknown field"),
        ({"region": "here"}, "region: "),
        ({"tables": ["shop-*", "shop-*"]}, "tables.1.table: shop-* is in tables.0 already"),
        ({"tables": ["crm-*"]}, "tables.0.table: no table in eu-west-1 matches crm-*"),
        ({"account": "999999999999"}, "tables.0."),
    ],
)
async def test_what_no_plan_can_have_is_refused(app, dynamodb, changes, told):
    status, answer = await propose(app, **changes)
    assert status == 400
    assert any(told in fault for fault in answer["faults"])


async def test_tables_that_the_app_may_not_touch_are_not_looked_at(app, dynamodb):
    app.settings = local_settings(D2C_ALLOWED_TABLES="crm-*")
    status, answer = await propose(app)
    assert status == 400
    assert "shop-a" in answer["faults"][0]
