"""The product's sign-in against local STS, and what DynamoDB and S3 then let a session do."""

import json
import time
import urllib.request

import boto3
import pytest
from azure.core.credentials import AccessToken
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from d2c.clients.aws.copy_session import copy_session_policy
from d2c.clients.aws.sign_in import WebIdentity
from d2c.errors import PermanentError
from localcloud.aws.iam.sessions import Session, Sessions
from localcloud.cloud.app_settings import stack_parameters
from localcloud.cloud.identity import owner_key_id
from localcloud.cloud.processes import start_service, stop_service
from localcloud.cloud.services import AWS_TEMPLATE
from localcloud.common.names import AWS_ACCOUNT, EXPORT_BUCKET, OTHER_AWS_ACCOUNT, TOKEN_AUDIENCE
from localcloud.entra.tokens import ISSUER, issue_token, new_signing_key, public_keys
from tests.contract.polling import wait_until

SECRET = "a secret access key for tests only"
KEY = new_signing_key()
REGION = "eu-west-1"
ROLE, OTHER_ROLE = (f"arn:aws:iam::{account}:role/d2c" for account in (AWS_ACCOUNT, OTHER_AWS_ACCOUNT))
FOLDER = "d2c/m/Music/AWSDynamoDB/1-a"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = start_service(
        "aws",
        tmp_path_factory.mktemp("aws"),
        arguments=["--export-seconds", "0.1", "--template", str(AWS_TEMPLATE)],
        environment={
            "LOCALCLOUD_AWS_SECRET_KEY": SECRET,
            "LOCALCLOUD_AWS_STACKS": json.dumps(stack_parameters()),
            "LOCALCLOUD_TOKEN_KEYS": json.dumps(public_keys(KEY)),
        },
    )
    try:
        s3 = client(running, "s3", *owner(AWS_ACCOUNT))
        s3.create_bucket(Bucket=EXPORT_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key in (f"{FOLDER}/data/a", "d2c/m/Other/b", "elsewhere/c"):
            s3.put_object(Bucket=EXPORT_BUCKET, Key=key, Body=b"x")
        for account in (AWS_ACCOUNT, OTHER_AWS_ACCOUNT):
            create_table(client(running, "dynamodb", *owner(account)))
        yield running
    finally:
        stop_service(running)


def owner(account):
    return owner_key_id(account), SECRET, None


def client(service, name, key_id, secret, token, config=ONCE):
    return boto3.client(
        name,
        endpoint_url=service.url,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


def create_table(dynamodb):
    dynamodb.create_table(
        TableName="Music",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_continuous_backups(
        TableName="Music", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


class Entra:
    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **_):
        return AccessToken(self.token, 2**31)


def identity(service, token=None):
    sts = client(service, "sts", None, None, None, ONCE.merge(Config(signature_version=UNSIGNED)))
    return WebIdentity(sts, Entra(token or issue_token(KEY, TOKEN_AUDIENCE)), TOKEN_AUDIENCE)


def take_on(service, token=None, role=ROLE, **asked):
    found = identity(service, token).take_on(role, **{"session_name": "d2c-tests", "seconds": 900, **asked})
    return found.access_key_id, found.secret_access_key, found.session_token


def refusal(call):
    """Return the code and the text with which a service refuses a call."""
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"], refused.value.response["Error"].get("Message", "")


class TestTakeOn:
    def test_a_token_of_the_apps_identity_gives_a_session_of_the_role(self, service):
        sts = client(service, "sts", *take_on(service))
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{AWS_ACCOUNT}:assumed-role/d2c/d2c-tests"
        table = client(service, "dynamodb", *take_on(service)).describe_table(TableName="Music")["Table"]
        assert table["TableArn"] == f"arn:aws:dynamodb:{REGION}:{AWS_ACCOUNT}:table/Music"

    @pytest.mark.parametrize(
        ("token", "asked", "words"),
        [
            (issue_token(KEY, TOKEN_AUDIENCE, sub="another identity"), {}, "AccessDenied: Not authorized to perform"),
            (issue_token(KEY, "api://other"), {}, "InvalidIdentityToken: Incorrect token audience"),
            (
                issue_token(KEY, TOKEN_AUDIENCE, iss=ISSUER.rstrip("/")),
                {},
                "InvalidIdentityToken: No OpenIDConnect provider found",
            ),
            (issue_token(new_signing_key(), TOKEN_AUDIENCE), {}, "InvalidIdentityToken: The token's signature"),
            (issue_token(KEY, TOKEN_AUDIENCE, exp=int(time.time()) - 60), {}, "ExpiredTokenException: Token expired"),
            (issue_token(KEY, TOKEN_AUDIENCE, nbf=int(time.time()) + 7200), {}, "InvalidIdentityToken"),
            ("opaque", {}, "InvalidIdentityToken: The ID Token provided is not a valid JWT"),
            (None, {"role": f"arn:aws:iam::{AWS_ACCOUNT}:role/other"}, "AccessDenied"),
            (None, {"policy": {"Statement": "x" * 2048}}, "PackedPolicyTooLarge"),
            (None, {"policy": {"Statement": []}}, "MalformedPolicyDocument"),
        ],
    )  # fmt: skip
    def test_anything_else_is_refused_as_sts_refuses_it_without_the_token_in_the_text(
        self, service, token, asked, words
    ):
        with pytest.raises(PermanentError) as refused:
            take_on(service, token, **asked)
        assert words in refused.value.detail
        signature = (token or "").rpartition(".")[2]
        assert token in (None, "opaque") or signature not in str(refused.value)


class TestSessions:
    def test_a_role_does_what_its_policy_allows_and_a_refusal_names_who_what_and_where(self, service):
        dynamodb = client(service, "dynamodb", *take_on(service))
        code, text = refusal(lambda: dynamodb.delete_table(TableName="Music"))
        assert code == "AccessDeniedException"
        assert text == (
            f"User: arn:aws:sts::{AWS_ACCOUNT}:assumed-role/d2c/d2c-tests is not authorized to perform: "
            f"dynamodb:DeleteTable on resource: arn:aws:dynamodb:{REGION}:{AWS_ACCOUNT}:table/Music because no "
            "identity-based policy allows the dynamodb:DeleteTable action"
        )
        s3 = client(service, "s3", *take_on(service))
        code, text = refusal(lambda: s3.get_object(Bucket=EXPORT_BUCKET, Key="elsewhere/c"))
        assert code == "AccessDenied"
        assert 's3:GetObject on resource: "arn:aws:s3:::d2c-exports/elsewhere/c"' in text

    def test_a_copy_runs_session_reads_its_own_export_and_no_other(self, service):
        policy = copy_session_policy(ROLE, EXPORT_BUCKET, FOLDER)
        s3 = client(service, "s3", *take_on(service, policy=policy))
        listed = s3.list_objects_v2(Bucket=EXPORT_BUCKET, Prefix=f"{FOLDER}/data/")["Contents"]
        assert [entry["Key"] for entry in listed] == [f"{FOLDER}/data/a"]
        assert s3.get_object(Bucket=EXPORT_BUCKET, Key=listed[0]["Key"])["Body"].read() == b"x"
        for call in (
            lambda: s3.get_object(Bucket=EXPORT_BUCKET, Key="d2c/m/Other/b"),
            lambda: s3.list_objects_v2(Bucket=EXPORT_BUCKET, Prefix="d2c/m/Other/"),
            lambda: s3.list_objects_v2(Bucket=EXPORT_BUCKET),
            lambda: s3.put_object(Bucket=EXPORT_BUCKET, Key=f"{FOLDER}/data/b", Body=b""),
        ):
            assert "no session policy allows" in refusal(call)[1] or "identity-based" in refusal(call)[1]

    @pytest.mark.parametrize(
        ("service_name", "call", "code"),
        [
            ("dynamodb", lambda dynamodb: dynamodb.list_tables(), "ExpiredTokenException"),
            ("s3", lambda s3: s3.list_objects_v2(Bucket=EXPORT_BUCKET), "ExpiredToken"),
        ],
    )
    def test_a_session_that_has_ended_is_refused_as_such(self, service, service_name, call, code):
        ended = Sessions(SECRET).issue(Session(ROLE, "ended", None), -60)
        keys = ended["AccessKeyId"], ended["SecretAccessKey"], ended["SessionToken"]
        assert refusal(lambda: call(client(service, service_name, *keys)))[0] == code

    @pytest.mark.parametrize(
        ("change", "of_dynamodb", "of_s3"),
        [
            (lambda key, secret, token: (key, "another", token), "InvalidSignatureException", "SignatureDoesNotMatch"),
            (lambda key, secret, token: (key, secret, f"{token}x"), "UnrecognizedClientException", "InvalidToken"),
            (lambda key, secret, token: ("ASIAOTHER", secret, token), "UnrecognizedClientException", "InvalidToken"),
            (lambda key, secret, token: ("AKIA", secret, None), "UnrecognizedClientException", "InvalidAccessKeyId"),
        ],
    )  # fmt: skip
    def test_credentials_that_are_none_are_refused_as_each_service_does(
        self, service, change, of_dynamodb, of_s3
    ):
        keys = change(*take_on(service))
        dynamodb, s3 = (client(service, name, *keys) for name in ("dynamodb", "s3"))
        assert refusal(lambda: dynamodb.list_tables())[0] == of_dynamodb
        assert refusal(lambda: s3.list_objects_v2(Bucket=EXPORT_BUCKET))[0] == of_s3

    def test_what_has_no_name_among_iams_actions_here_is_refused_as_such(self, service):
        s3 = client(service, "s3", *take_on(service))
        assert (
            refusal(lambda: s3.get_object_tagging(Bucket=EXPORT_BUCKET, Key="d2c/a"))[0] == "NotImplemented"
        )


class TestAccounts:
    def export(self, service, **more):
        dynamodb = client(service, "dynamodb", *take_on(service, role=OTHER_ROLE))
        table = dynamodb.describe_table(TableName="Music")["Table"]["TableArn"]
        assert f":{OTHER_AWS_ACCOUNT}:" in table
        arn = dynamodb.export_table_to_point_in_time(
            TableArn=table, S3Bucket=EXPORT_BUCKET, S3Prefix="d2c/o", **more
        )["ExportDescription"]["ExportArn"]

        def ended():
            found = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            return found if found["ExportStatus"] != "IN_PROGRESS" else None

        return wait_until(ended)

    def test_a_table_of_another_account_is_exported_once_the_buckets_owner_is_named(self, service):
        assert self.export(service)["FailureCode"] == "S3AccessDenied"
        assert self.export(service, S3BucketOwner=AWS_ACCOUNT)["ExportStatus"] == "COMPLETED"

    def test_a_role_sees_nothing_of_another_account(self, service):
        dynamodb = client(service, "dynamodb", *take_on(service))
        arn = f"arn:aws:dynamodb:{REGION}:{OTHER_AWS_ACCOUNT}:table/Music"
        code, text = refusal(
            lambda: dynamodb.export_table_to_point_in_time(TableArn=arn, S3Bucket=EXPORT_BUCKET)
        )
        assert (code, OTHER_AWS_ACCOUNT in text) == ("AccessDeniedException", True)

    def test_an_export_into_a_place_that_its_caller_may_not_write_fails_as_such(self, service):
        dynamodb = client(service, "dynamodb", *take_on(service))
        table = dynamodb.describe_table(TableName="Music")["Table"]["TableArn"]
        arn = dynamodb.export_table_to_point_in_time(
            TableArn=table, S3Bucket=EXPORT_BUCKET, S3Prefix="elsewhere"
        )["ExportDescription"]["ExportArn"]

        def failure():
            return dynamodb.describe_export(ExportArn=arn)["ExportDescription"].get("FailureCode")

        assert wait_until(failure) == "S3AccessDenied"


def test_each_action_that_sessions_asked_for_is_told_once_with_whether_it_was_allowed(service):
    dynamodb = client(service, "dynamodb", *take_on(service))
    for _ in range(2):
        dynamodb.list_tables()
        refusal(lambda: dynamodb.delete_item(TableName="Music", Key={"pk": {"S": "a"}}))
    told = json.loads(urllib.request.urlopen(f"{service.url}/_localcloud/actions").read())["actions"]
    of_role = {"role": ROLE, "scoped": False}
    assert told.count({**of_role, "action": "dynamodb:ListTables", "allowed": True}) == 1
    assert told.count({**of_role, "action": "dynamodb:DeleteItem", "allowed": False}) == 1
