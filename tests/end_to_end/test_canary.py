"""`d2c canary` against the local cloud: each assumption holds there, or it says why it could not be tried."""

import json

import pytest
from typer.testing import CliRunner

from d2c.canary.names import PREFIX
from d2c.cli import app
from localcloud.cloud.app_settings import deployment_settings, lake_connection
from localcloud.common import names

# The name of the check, and a part of what it says.
UNTRIED = {
    "lake-namespace": "emulators",
    "storage-by-cluster": "fs.azure",
}
# On a busy machine one export ends so much later than the other that nothing waits for it.
SLOWLY = {"tables-side-by-side": "load run of its own"}


def operator(user):
    """Return the environment of an operator of the local cloud, whose sign-in to AWS is the account owner's."""
    identity = user.cloud.identity
    return {
        **deployment_settings(identity),
        **user.cloud.certificates.trust_environment(),
        "D2C_COSMOS_KEY": identity.cosmos_key,
        "D2C_LAKE": lake_connection(identity),
        "AWS_ACCESS_KEY_ID": identity.aws_key_id,
        "AWS_SECRET_ACCESS_KEY": identity.aws_secret_key,
        "D2C_URL": identity.url("functions_host"),
    }


def d2c(user, *arguments):
    result = CliRunner().invoke(app, ["canary", *arguments], env=operator(user), catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def things(user):
    """Return what there is of canaries, anywhere."""
    objects = user.s3.list_objects_v2(Bucket=names.EXPORT_BUCKET).get("Contents", ())
    found = [
        *user.dynamodb.list_tables()["TableNames"],
        *(entry["Key"] for entry in objects),
        *(blob.name for blob in user.lake.list_blobs()),
        *(database["id"] for database in user.cosmos.list_databases()),
    ]
    return [name for name in found if PREFIX in name]


@pytest.fixture(scope="module")
def result(user, tmp_path_factory):
    path = tmp_path_factory.mktemp("canary") / "result.json"
    status, output, error = d2c(user, "--yes", "--json", "--output", str(path))
    found = json.loads(output)
    assert found == json.loads(path.read_text())
    return {**found, "status": status, "told": error, "text": output}


def test_every_assumption_holds_but_those_that_cannot_be_tried_here(result):
    states = {row["check"]: (row["state"], row["seen"]) for row in result["checks"]}
    assert {name for name, (state, _) in states.items() if state == "fails"} == set(), states
    untried = {name: seen for name, (state, seen) in states.items() if state == "could not be tried"}
    assert untried.keys() - SLOWLY.keys() == UNTRIED.keys(), untried
    assert all({**UNTRIED, **SLOWLY}[name] in seen for name, seen in untried.items())
    assert (result["status"], result["migration"], result["error"]) == (0, "succeeded", None)


def test_the_rights_and_the_price_are_told_first(result):
    before = result["told"].split("making    table")[0]
    assert "dynamodb:CreateTable" in before
    assert "costs about" in before


def test_nothing_of_it_is_left(user, result):
    assert result["left"] == []
    assert things(user) == []


def test_its_result_has_no_secret_and_no_account(user, result):
    told = result["text"]
    assert names.AWS_ACCOUNT not in told
    assert names.SUBSCRIPTION_ID not in told
    identity = user.cloud.identity
    assert not any(secret in told for secret in (identity.cosmos_key, identity.databricks_token))


def test_what_an_interrupted_one_left_is_removed_and_nothing_else(user, result):
    user.create_table("Unrelated", [{"pk": {"S": "a"}}])
    name = f"{PREFIX}0123abcd"
    user.create_table(f"{name}-untagged", [{"pk": {"S": "a"}}])
    tagged = f"{name}-values"
    user.create_table(tagged, [{"pk": {"S": "a"}}])
    arn = user.dynamodb.describe_table(TableName=tagged)["Table"]["TableArn"]
    user.dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "d2c-canary", "Value": name}])
    user.cosmos.create_database(name)
    user.lake.upload_blob(f"migrations/{name}/plan.json", b"{}")
    user.s3.put_object(Bucket=names.EXPORT_BUCKET, Key=f"{names.EXPORT_PREFIX}/{name}/t/data/a", Body=b"")
    status, output, _ = d2c(user, "--clean", "--yes", "--json")
    assert (status, len(json.loads(output)["found"])) == (0, 4)
    assert things(user) == [f"{name}-untagged"]
    assert "Unrelated" in user.dynamodb.list_tables()["TableNames"]
