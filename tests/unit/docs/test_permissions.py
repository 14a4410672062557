"""The page on permissions, held to the template that makes the role and to the calls of the clients."""

import inspect
import re

import pytest

from d2c.clients.aws import dynamodb
from d2c.clients.aws.copy_session import copy_session_policy
from localcloud.aws.iam.policies import actions_of
from localcloud.aws.iam.stack import load_account
from localcloud.cloud.services import AWS_TEMPLATE
from tests.unit.pages import codes, json_blocks, table_rows, text_of

PAGE = text_of("install/permissions.md")
ROWS = table_rows(PAGE, "## The app in AWS")
ACTIONS = {action: row for row in ROWS for action in codes(row[0])}
PARAMETERS = {
    "EntraTenantId": "00000000-0000-0000-0000-0000000000aa",
    "TokenAudience": "api://00000000-0000-0000-0000-0000000000d2",
    "AppObjectId": "99999999-8888-4777-8666-555555555555",
    "ExportBucketName": "my-exports",
}
(ROLE,) = load_account(AWS_TEMPLATE, "111122223333", PARAMETERS).roles.values()


def test_the_policy_and_the_trust_on_the_page_are_those_of_the_template():
    policy, trust = json_blocks("install/permissions.md")
    assert [policy] == ROLE.policies
    assert trust == ROLE.trust


def test_the_table_has_every_action_of_the_policy_and_no_other():
    assert ACTIONS.keys() == actions_of(ROLE.policies)


def test_each_action_is_seen_on_the_local_cloud_or_the_page_says_with_a_source_why_it_is_not():
    for row in ROWS:
        assert row[3] == "seen" or re.match(r"not seen: \[.+\]\(https://.+\)", row[3]), row


def test_every_call_of_the_client_to_dynamodb_has_its_action():
    calls = re.findall(r"self\._client\.([a-z_]+)\(", inspect.getsource(dynamodb))
    actions = {"dynamodb:" + call.title().replace("_", "") for call in calls}
    assert actions == {action for action in ACTIONS if action.startswith("dynamodb:")}


@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-west-1:111122223333:key/1"])
def test_a_copy_runs_session_asks_for_nothing_that_its_role_cannot_give(key):
    (role,) = load_account(AWS_TEMPLATE, "111122223333", {**PARAMETERS, "ExportKeyArn": key}).roles.values()
    asked = actions_of([copy_session_policy(role.arn, "my-exports", "d2c/m/t/AWSDynamoDB/1-a")])
    assert asked - actions_of(role.policies) == (set() if key else {"kms:Decrypt"})
    for action in asked:
        assert f"`{action}`" in PAGE.split("## Data Factory")[1]
