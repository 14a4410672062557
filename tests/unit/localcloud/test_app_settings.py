import json

from d2c.app.settings import read_settings
from localcloud import names
from localcloud.app_settings import app_settings, service_environment
from localcloud.identity import load_identity


def test_the_app_gets_no_key_of_aws_and_signs_in_with_roles(tmp_path):
    identity = load_identity(tmp_path)
    environment = service_environment("functions_host", identity)
    assert identity.aws_secret_key not in json.dumps(environment)
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == ""
    aws = read_settings(app_settings(identity)).aws
    assert aws.copy_credentials == "session"
    for account in (names.AWS_ACCOUNT, names.OTHER_AWS_ACCOUNT):
        assert aws.role(account, names.AWS_REGION) == f"arn:aws:iam::{account}:role/d2c"


def test_what_signs_tokens_is_with_their_issuer_alone(tmp_path):
    identity = load_identity(tmp_path)
    services = ("aws", "lake", "cosmos", "management", "databricks")
    assert not [name for name in services if "PRIVATE KEY" in json.dumps(service_environment(name, identity))]
