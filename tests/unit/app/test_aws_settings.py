import json

import pytest

from d2c.app.settings import read_settings
from d2c.errors import SettingsError
from d2c.plan.allowed import account_faults
from d2c.plan.model import parse_plan
from tests.unit.plan.test_model import plan_text

from .test_settings import COMPLETE

ONE, TWO = "111122223333", "444455556666"
EU, US = "eu-west-1", "us-east-1"
ROLE = f"arn:aws:iam::{ONE}:role/d2c"
ROLE_OF_TWO = f"arn:aws:iam::{TWO}:role/teams/d2c"
ROLE_IN_US = f"arn:aws:iam::{ONE}:role/d2c-us"
WITH_ROLES = {
    "D2C_AWS_ROLES": json.dumps({ONE: ROLE}),
    "D2C_AWS_ACCOUNT": ONE,
    "D2C_AWS_TOKEN_AUDIENCE": "api://d2c-aws",
    "D2C_AWS_SESSION_SECONDS": "7200",
    "D2C_EXPORT_BUCKET_OWNER": TWO,
    "D2C_EXPORT_KMS_KEY": f"arn:aws:kms:{EU}:{TWO}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "D2C_COPY_CREDENTIALS": "session",
    "D2C_COPY_BYTES_PER_SECOND": "1000",
    "WEBSITE_SITE_NAME": "my-app",
}


def aws(roles=None, **changes):
    """Return the settings about AWS with roles; a change to None takes a setting away."""
    values = {**WITH_ROLES, "D2C_AWS_ROLES": json.dumps(roles or {ONE: ROLE}), **changes}
    return read_settings({**COMPLETE, **{name: value for name, value in values.items() if value}}).aws


def without_roles(**changes):
    return read_settings({**COMPLETE, **changes}).aws


def test_without_roles_everything_is_as_boto3_finds_it_and_the_copy_reads_its_key_from_the_vault():
    settings = without_roles()
    assert settings.role(None, EU) is None
    assert settings.copy_credentials == "key_vault"


def test_with_roles_the_copy_has_a_session_of_its_own_unless_the_vault_is_asked_for():
    assert aws(D2C_COPY_CREDENTIALS=None).copy_credentials == "session"
    assert aws(D2C_COPY_CREDENTIALS="key_vault").copy_credentials == "key_vault"


def test_a_role_for_a_region_goes_before_that_of_its_account():
    settings = aws({ONE: ROLE, f"{ONE}/{US}": ROLE_IN_US, TWO: ROLE_OF_TWO})
    assert settings.role(ONE, US) == ROLE_IN_US
    assert settings.role(ONE, EU) == ROLE
    assert settings.role(TWO, US) == ROLE_OF_TWO


def test_the_account_of_plans_that_name_none_is_the_only_one_or_the_one_that_is_set():
    assert aws(D2C_AWS_ACCOUNT=None).role(None, EU) == ROLE
    both = {ONE: ROLE, TWO: ROLE_OF_TWO}
    assert aws(both, D2C_AWS_ACCOUNT=TWO).role(None, EU) == ROLE_OF_TWO
    with pytest.raises(SettingsError, match="D2C_AWS_ACCOUNT"):
        aws(both, D2C_AWS_ACCOUNT=None).role(None, EU)


def test_an_account_or_region_without_a_role_is_refused_by_the_settings_name():
    settings = aws({f"{ONE}/{US}": ROLE_IN_US})
    for account, region in ((ONE, EU), (TWO, US)):
        with pytest.raises(SettingsError, match=f"account {account} in {region}.*D2C_AWS_ROLES"):
            settings.role(account, region)


def test_the_bucket_is_read_by_its_owners_role_where_there_is_one():
    assert aws().bucket_account(ONE, EU) == ONE
    assert aws({ONE: ROLE, TWO: ROLE_OF_TWO}).bucket_account(ONE, EU) == TWO
    assert without_roles(D2C_EXPORT_BUCKET_OWNER=TWO).bucket_account(None, EU) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("D2C_AWS_ROLES", "{", "not JSON"),
        ("D2C_AWS_ROLES", "[]", "not a JSON object"),
        ("D2C_AWS_ROLES", "{}", "not a JSON object with a role"),
        ("D2C_AWS_ROLES", json.dumps({"12": ROLE}), "the key '12'"),
        ("D2C_AWS_ROLES", json.dumps({f"{ONE}/Ireland": ROLE}), f"the key '{ONE}/Ireland'"),
        ("D2C_AWS_ROLES", json.dumps({ONE: "d2c"}), "not a role such as"),
        ("D2C_AWS_ROLES", json.dumps({ONE: 1}), "not a role such as"),
        ("D2C_AWS_ROLES", json.dumps({ONE: ROLE_OF_TWO}), f"a role of account {TWO} for {ONE}"),
        ("D2C_AWS_TOKEN_AUDIENCE", "", "D2C_AWS_TOKEN_AUDIENCE is missing"),
        ("D2C_AWS_ACCOUNT", "12", "D2C_AWS_ACCOUNT is '12'"),
        ("D2C_EXPORT_BUCKET_OWNER", "me", "D2C_EXPORT_BUCKET_OWNER is 'me'"),
        ("D2C_EXPORT_KMS_KEY", "alias/exports", "not a KMS key's id or ARN"),
        ("D2C_EXPORT_KMS_KEY", f"arn:aws:s3:{EU}:{ONE}:key/k", "not a KMS key's id or ARN"),
        ("D2C_AWS_SESSION_SECONDS", "899", "from 900 to 43200"),
        ("D2C_AWS_SESSION_SECONDS", "43201", "from 900 to 43200"),
        ("D2C_AWS_SESSION_SECONDS", "an hour", "from 900 to 43200"),
        ("D2C_COPY_BYTES_PER_SECOND", "0", "D2C_COPY_BYTES_PER_SECOND"),
        ("D2C_COPY_CREDENTIALS", "key", "not one of session, key_vault"),
    ],
)
def test_an_impossible_setting_is_named_with_what_is_wrong(name, value, words):
    with pytest.raises(SettingsError) as refused:
        read_settings({**COMPLETE, **WITH_ROLES, name: value})
    assert name in refused.value.detail
    assert words in refused.value.detail


def test_a_session_for_the_copy_needs_a_role():
    with pytest.raises(SettingsError, match="D2C_COPY_CREDENTIALS is session"):
        without_roles(D2C_COPY_CREDENTIALS="session")


@pytest.mark.parametrize("key", [f"arn:aws:kms:{EU}:{ONE}:key/1234abcd-12ab", "mrk-1234abcd", None])
def test_a_kms_key_for_exports_is_an_arn_or_an_id(key):
    assert aws(D2C_EXPORT_KMS_KEY=key).export_kms_key == (key or "")


@pytest.mark.parametrize("audience", ["api://d2c-aws", "api://d2c-aws/.default"])
def test_the_audience_is_an_app_id_uri_with_or_without_the_scope(audience):
    assert aws(D2C_AWS_TOKEN_AUDIENCE=audience).token_audience == "api://d2c-aws"


def test_a_role_of_another_partition_of_aws_is_a_role():
    role = f"arn:aws-us-gov:iam::{ONE}:role/d2c"
    assert aws({ONE: role}).role(ONE, "us-gov-west-1") == role


class TestAccountFaults:
    def faults(self, settings, *tables, **changes):
        tables = [{"table": "Music", **table} for table in tables or ({},)]
        return account_faults(parse_plan(plan_text(tables=tables, **changes)), settings)

    def test_a_plan_whose_accounts_all_have_roles_has_none(self):
        settings = aws({ONE: ROLE, TWO: ROLE_OF_TWO})
        assert self.faults(settings, {"account": TWO}) == []
        assert self.faults(settings, account=ONE) == []
        assert self.faults(without_roles()) == []

    def test_each_table_without_a_role_is_named_with_the_setting(self):
        (fault,) = self.faults(aws(), {"account": TWO})
        assert fault.startswith(f"tables.0.account {TWO} in {EU}: D2C_AWS_ROLES has no role")

    def test_a_plan_cannot_choose_an_account_if_the_credentials_do(self):
        (fault,) = self.faults(without_roles(), account=ONE)
        assert "D2C_AWS_ROLES names no roles" in fault
        assert self.faults(without_roles(D2C_AWS_ACCOUNT=ONE), account=ONE) == []

    def test_a_plan_without_an_account_needs_to_be_clear(self):
        settings = aws({ONE: ROLE, TWO: ROLE_OF_TWO}, D2C_AWS_ACCOUNT=None)
        (fault,) = self.faults(settings)
        assert fault.startswith("tables.0.account: missing")
        assert "D2C_AWS_ACCOUNT" in fault
