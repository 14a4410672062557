"""The rights that a migration really uses in AWS and in Azure, against those that its roles have."""

import json
import urllib.request

import httpx
import pytest

from d2c.clients.aws.copy_session import copy_session_policy
from localcloud.aws.iam.policies import actions_of
from localcloud.common.names import AWS_ACCOUNT, AWS_ROLE, OTHER_AWS_ACCOUNT
from localcloud.common.principals import APP, FACTORY, SPARK
from localcloud.cosmos.data_plane.rights import FEED, METADATA, QUERY, UPSERT
from localcloud.lake.access.operations import BLOBS
from localcloud.lake.gateway import ACTIONS_PATH as ASKED_OF_THE_LAKE
from tests.end_to_end.user import plan
from tests.localcloud.contract.management.app_calls import ACTIONS as IN_AZURE
from tests.localcloud.contract.management.app_calls import ONLY_ON_AZURE
from tests.unit.docs.test_permissions import ACTIONS, ROLE

ROLE_ARN = f"arn:aws:iam::{AWS_ACCOUNT}:role/{AWS_ROLE}"
# A migration that is cancelled needs it.
CANCELS = "Microsoft.DataFactory/factories/pipelineruns/cancel/action"
SEEN = {action for action, row in ACTIONS.items() if row[3] == "seen"}


@pytest.fixture(scope="module")
def used(user):
    """What sessions of roles asked for, after a check and a migration of tables of a pattern and of another account."""
    user.create_table("Rights-a", [{"pk": {"S": f"k{n}"}} for n in range(3)])
    user.create_table("Theirs", [{"pk": {"S": key}} for key in "ab"], account=OTHER_AWS_ACCOUNT)
    theirs = {"table": "Theirs", "account": OTHER_AWS_ACCOUNT, "throughput": {"kind": "shared"}}
    asked = plan("rights", {"table": "Rights-*"}, theirs)
    checked = user.check(asked)
    assert not [one for one in checked["checks"] if one["state"] == "failed"], checked
    user.start(asked)
    status = user.ended("rights")
    assert status["state"] == "succeeded", status
    address = f"{user.cloud.identity.url('aws')}/_localcloud/actions"
    told = json.loads(urllib.request.urlopen(address).read())["actions"]
    return list(told)


def actions(used, *, role=ROLE_ARN, **wanted):
    return {entry["action"] for entry in used if {"role": role, **wanted}.items() <= entry.items()}


def test_a_migration_uses_every_right_that_its_role_has_but_those_that_only_aws_asks_for(used):
    assert actions(used, scoped=False, allowed=True) == SEEN
    assert actions_of(ROLE.policies) >= SEEN


def test_nothing_that_a_migration_does_is_beyond_its_rights(used):
    assert actions(used, allowed=False) == set()


def test_a_copy_run_uses_the_rights_of_its_session_and_no_others(used):
    of_session = actions_of([copy_session_policy(ROLE_ARN, "b", "f")])
    assert actions(used, scoped=True) == of_session & SEEN


def test_a_table_of_another_account_is_moved_by_that_accounts_role_through_the_one_bucket(user, used):
    assert [document["id"] for document in user.documents("rights", "Theirs")] == ["a", "b"]
    of_theirs = actions(used, role=ROLE_ARN.replace(AWS_ACCOUNT, OTHER_AWS_ACCOUNT), allowed=True)
    assert {"dynamodb:ExportTableToPointInTime", "s3:PutObject"} <= of_theirs
    assert "s3:GetObject" not in of_theirs, "the bucket is read by its owner's role"


def used_in_azure(user, used, *, allowed):
    """Return what the app asked Azure's management API for, in lower case, after the migration of ``used``."""
    identity = user.cloud.identity
    answer = httpx.get(
        f"{identity.url('management')}/_localcloud/actions",
        headers={"Authorization": f"Bearer {identity.management_token}"},
        verify=user.trust,
    )
    asked = answer.json()["actions"]
    app = {"object_id": APP.object_id, "allowed": allowed}
    return {each["action"].lower() for each in asked if app.items() <= each.items()}


def test_a_migration_uses_every_right_of_its_roles_in_azure_but_those_to_cancel_and_of_azure_alone(
    user, used
):
    needed = {action.lower() for action in IN_AZURE} - {
        action.lower() for action in (CANCELS, *ONLY_ON_AZURE)
    }
    assert used_in_azure(user, used, allowed=True) - {CANCELS.lower()} == needed


def test_nothing_that_a_migration_does_in_azure_is_beyond_its_rights(user, used):
    assert used_in_azure(user, used, allowed=False) == set()


def asked_of_the_lake(user, principal, *, allowed):
    """Return the actions that an identity asked the lake for."""
    cloud = user.cloud
    answer = httpx.get(
        cloud.identity.url("lake_tokens") + ASKED_OF_THE_LAKE,
        verify=user.trust,
    )
    wanted = {"object_id": principal.object_id, "allowed": allowed}
    found = [each["actions"] for each in answer.json()["actions"] if wanted.items() <= each.items()]
    return {action.removeprefix(f"{BLOBS}/") for actions in found for action in actions}


@pytest.mark.parametrize(
    ("principal", "actions"),
    [
        (APP, {"read", "write", "delete"}),
        (FACTORY, {"read", "write"}),
        (SPARK, {"read", "write", "delete"}),
    ],
)
def test_the_app_the_factory_and_spark_reach_the_lake_by_their_roles_and_ask_for_nothing_beyond(
    user, used, principal, actions
):
    seen = {each for each in asked_of_the_lake(user, principal, allowed=True) if "/" not in each}
    assert actions - {"delete"} <= seen <= actions
    assert asked_of_the_lake(user, principal, allowed=False) == set()


def used_in_cosmos(user, used, principal, *, allowed):
    """Return what an identity asked Cosmos DB's data plane for, after the migration of ``used``."""
    identity = user.cloud.identity
    answer = httpx.get(
        f"{identity.url('cosmos')}/_localcloud/actions",
        headers={"x-localcloud-key": identity.cosmos_key},
        verify=user.trust,
    )
    wanted = {"object_id": principal.object_id, "allowed": allowed}
    return {each["action"] for each in answer.json()["actions"] if wanted.items() <= each.items()}


def test_spark_writes_documents_with_upserts_alone_and_the_app_writes_none(user, used):
    assert used_in_cosmos(user, used, SPARK, allowed=True) == {METADATA, QUERY, FEED, UPSERT}
    assert {METADATA} <= used_in_cosmos(user, used, APP, allowed=True) <= {METADATA, QUERY, FEED}


@pytest.mark.parametrize("principal", [APP, SPARK])
def test_nothing_that_a_migration_does_with_documents_is_beyond_its_rights(user, used, principal):
    assert used_in_cosmos(user, used, principal, allowed=False) == set()
