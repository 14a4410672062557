"""The app's calls against the roles that the deployment gives it: it needs each of their actions, and no other."""

import json
import time
from contextlib import contextmanager

import pytest

from d2c.clients.azure.cosmos.management import connect_cosmos_management
from d2c.clients.azure.data_factory import NO_RUN, connect_data_factory
from d2c.errors import PermanentError
from localcloud.arm.rights import ACCOUNT, FACTORY
from localcloud.cloud.identity import management_token
from localcloud.common.principals import APP, DEPLOYER, Principal
from tests.localcloud.contract.management.app_calls import (
    ACTIONS,
    CALLS,
    OF_ACCOUNT,
    OF_CONTAINER,
    OF_FACTORY,
    ONLY_ON_AZURE,
    TABLE,
    definitions,
)
from tests.localcloud.contract.management.conftest import (
    APP_TOKEN,
    DEPLOYER_TOKEN,
    SIGNING_KEY,
    Management,
    connected,
    settings,
)


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    """A copy of the table of roles."""
    return tmp_path_factory.mktemp("roles") / "roles.json"


@pytest.fixture(scope="module")
def app(tmp_path_factory, around, roles):
    """A management service whose roles tests may change, and the app's clients of it."""
    roles.write_text(json.dumps(TABLE))
    running = Management(tmp_path_factory.mktemp("rights"), around, roles=roles)
    yield running
    running.stop()


@contextmanager
def without(roles, action):
    """Take an action away for as long as the context lasts."""
    custom = {
        name: {**role, "actions": [each for each in role["actions"] if each != action]}
        for name, role in TABLE["custom"].items()
    }
    roles.write_text(json.dumps({**TABLE, "custom": custom}))
    yield
    roles.write_text(json.dumps(TABLE))


def error_of(call):
    with pytest.raises(PermanentError) as error:
        call()
    return error.value


def detail_of(call):
    """Return the text of a call's error, empty if it succeeds."""
    try:
        call()
    except PermanentError as error:
        return error.detail
    return ""


@pytest.mark.parametrize("action", [action for action in ACTIONS if action not in ONLY_ON_AZURE])
def test_the_app_needs_each_action_of_its_roles_and_says_which_one_it_lacks(app, roles, action):
    (call,) = [call for end, call in CALLS.items() if action.endswith(f"/{end}")]
    with without(roles, action):
        error = error_of(lambda: call(app, "never-created"))
    resource = FACTORY if action.startswith(OF_FACTORY) else ACCOUNT
    for words in (APP.client_id, APP.object_id, action.lower(), resource.lower()):
        assert words in error.detail.lower()
    assert "docs/install/permissions.md" in error.next_step


def test_the_calls_of_the_clients_use_all_that_the_roles_have_and_nothing_beyond(app):
    found = [detail_of(lambda call=call: call(app, "created")) for call in CALLS.values()]
    assert not [detail for detail in found if detail and "There is no pipeline run" not in detail]
    asked = app.http.get("/_localcloud/actions").json()["actions"]
    used = {
        each["action"].lower() for each in asked if each["object_id"] == APP.object_id and each["allowed"]
    }
    assert used == {action.lower() for action in ACTIONS} - {action.lower() for action in ONLY_ON_AZURE}


@pytest.mark.parametrize(
    ("kind", "path", "resource"),
    [
        ("sqlDatabases", "followed", {"id": "followed"}),
        (
            "containers",
            "followed/containers/c",
            {"id": "c", "partitionKey": {"paths": ["/a"], "kind": "Hash"}},
        ),
        (
            "containers/throughputSettings",
            "scaled/containers/c/throughputSettings/default",
            {"throughput": 500},
        ),
    ],
)
def test_whoever_follows_a_change_by_its_location_needs_the_right_to_its_result(
    app, roles, kind, path, resource
):
    app.cosmos.create_database("followed")
    app.cosmos.create_database("scaled")
    app.cosmos.create_container(
        "scaled", "c", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
    )
    (action,) = [each for each in ONLY_ON_AZURE if each.endswith(f"/{kind}/operationResults/read")]
    headers = {"Authorization": f"Bearer {APP_TOKEN}"}
    url = f"{ACCOUNT}/sqlDatabases/{path}?api-version=2026-03-15"
    begun = app.http.put(url, headers=headers, json={"properties": {"resource": resource}})
    place = begun.headers["Location"]
    assert f"/sqlDatabases/{path}/operationResults/" in place
    with without(roles, action):
        refused = app.http.get(place, headers=headers)
    assert (refused.status_code, action in refused.text) == (403, True)
    assert app.http.get(place, headers=headers).json()["id"] == f"{ACCOUNT}/sqlDatabases/{path}"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("DELETE", f"{ACCOUNT}/sqlDatabases/d/containers/c", f"{OF_CONTAINER}/delete"),
        ("DELETE", f"{ACCOUNT}/sqlDatabases/d", f"{OF_ACCOUNT}/sqlDatabases/delete"),
        ("DELETE", ACCOUNT, f"{OF_ACCOUNT}/delete"),
        ("PATCH", ACCOUNT, f"{OF_ACCOUNT}/write"),
        ("POST", f"{ACCOUNT}/listKeys", f"{OF_ACCOUNT}/listKeys/action"),
        ("DELETE", f"{FACTORY}/pipelines/copy_export", f"{OF_FACTORY}/pipelines/delete"),
    ],
)
def test_the_app_deletes_nothing_and_reads_no_key(app, method, path, action):
    url = f"{path}?api-version=2018-06-01"
    answer = app.http.request(method, url, headers={"Authorization": f"Bearer {APP_TOKEN}"})
    assert (answer.status_code, f"'{action}'" in answer.json()["error"]["message"]) == (403, True)


def test_the_app_may_not_deploy(app):
    lake = definitions(app).find("linkedService", "lake")
    assert (
        "linkedServices/write" in error_of(lambda: definitions(app).put("linkedService", "lake", lake)).detail
    )


def test_whoever_deploys_has_no_right_in_the_account(app):
    deployer = connected(connect_cosmos_management, settings(app.service.url, DEPLOYER_TOKEN))
    error = error_of(deployer.describe_account)
    assert f"object id '{DEPLOYER.object_id}'" in error.detail
    assert f"{OF_ACCOUNT}/read" in error.detail


def test_a_wrong_name_is_answered_like_a_right_that_is_missing_and_the_next_step_says_so(app):
    mistyped = app.app_settings.model_copy(update={"data_factory": "mistyped"})
    error = error_of(connected(connect_data_factory, mistyped).global_parameters)
    assert "factories/mistyped'" in error.detail
    assert "check the names in the settings" in error.next_step


@pytest.mark.parametrize(
    ("caller", "claims", "words"),
    [
        (APP, {"iss": "https://sts.windows.net/another/"}, ("from another tenant", "AZURE_TENANT_ID")),
        (APP, {"aud": "https://vault.azure.net"}, ("for another service", "D2C_MANAGEMENT_ENDPOINT")),
        (APP, {"exp": int(time.time()) - 60}, ("has expired", "clock")),
        (Principal("of-none", "deleted"), {}, ("object id 'deleted'", "docs/install/permissions.md")),
    ],
)
def test_an_identity_that_is_not_accepted_is_named_with_the_cause_and_the_next_step(
    app, caller, claims, words
):
    token = management_token(SIGNING_KEY, caller, **claims)
    factory = connected(connect_data_factory, settings(app.service.url, token))
    error = error_of(lambda: factory.get_run(NO_RUN))
    for word in (f"object id {caller.object_id}", *words):
        assert word in str(error)
    assert token not in str(error)
