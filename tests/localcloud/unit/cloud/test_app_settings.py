import json

from d2c.app.settings import read_settings
from localcloud.arm.tokens import Tokens
from localcloud.cloud.app_settings import app_settings, deployment_settings, service_environment
from localcloud.cloud.identity import load_identity
from localcloud.common import names
from localcloud.common.principals import APP, DEPLOYER, FACTORY, OWNER, PRINCIPALS, SPARK
from localcloud.functions_host.extension import PROGRAM_VARIABLE
from localcloud.lake import ACCOUNT


def test_the_app_gets_no_key_of_aws_and_signs_in_with_roles(tmp_path):
    identity = load_identity(tmp_path)
    environment = service_environment("functions_host", identity)
    assert identity.aws_secret_key not in json.dumps(environment)
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == ""
    aws = read_settings(app_settings(identity)).aws
    assert aws.copy_credentials == "session"
    for account in (names.AWS_ACCOUNT, names.OTHER_AWS_ACCOUNT):
        assert aws.role(account, names.AWS_REGION) == f"arn:aws:iam::{account}:role/d2c"


def test_the_app_and_whoever_deploys_sign_in_as_themselves_and_without_keys(tmp_path):
    identity = load_identity(tmp_path)
    for settings, principal in ((app_settings(identity), APP), (deployment_settings(identity), DEPLOYER)):
        assert settings["AZURE_CLIENT_ID"] == principal.client_id
        assert settings["IDENTITY_HEADER"] == identity.credential(principal)
        assert read_settings(settings).cosmos_key == ""
    tokens = Tokens(json.loads(service_environment("management", identity)["LOCALCLOUD_TOKEN_KEYS"]))
    assert tokens.caller(f"Bearer {identity.management_token}") == OWNER


def test_each_service_gets_the_secrets_of_the_identity_that_it_signs_in_as_and_of_no_other(tmp_path):
    identity = load_identity(tmp_path)
    secret_of = {identity.credential(principal): principal for principal in PRINCIPALS}
    assert len(secret_of) == len(PRINCIPALS)
    for service, principal in (("management", FACTORY), ("databricks", SPARK), ("functions_host", APP)):
        environment = json.dumps(service_environment(service, identity))
        assert {who for secret, who in secret_of.items() if secret in environment} == {principal}


def test_what_signs_tokens_is_with_their_issuer_alone(tmp_path):
    identity = load_identity(tmp_path)
    services = ("aws", "lake", "cosmos", "management", "databricks")
    assert not [name for name in services if "PRIVATE KEY" in json.dumps(service_environment(name, identity))]


def test_no_service_has_the_lakes_key_but_the_lake_and_what_microsofts_extension_needs_it_for(
    tmp_path, monkeypatch
):
    identity = load_identity(tmp_path)
    key = json.dumps(identity.lake_key)[1:-1]
    services = ("lake", "management", "databricks", "functions_host")

    def having():
        return {name for name in services if key in json.dumps(service_environment(name, identity))}

    monkeypatch.delenv(PROGRAM_VARIABLE, raising=False)
    assert having() == {"lake"}
    assert read_settings(app_settings(identity)).lake_account == ACCOUNT
    monkeypatch.setenv(PROGRAM_VARIABLE, "/a/program")
    assert having() == {"lake", "functions_host"}
