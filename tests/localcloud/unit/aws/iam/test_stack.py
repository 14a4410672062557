import shutil

import pytest

from localcloud.aws.iam.policies import actions_of
from localcloud.aws.iam.stack import StackError, load_account
from localcloud.cloud.app_settings import stack_parameters
from localcloud.cloud.services import AWS_TEMPLATE
from localcloud.common.names import APP_OBJECT_ID, AWS_ACCOUNT, OTHER_AWS_ACCOUNT, TOKEN_AUDIENCE
from localcloud.entra.tokens import ISSUER

PARAMETERS = stack_parameters()[AWS_ACCOUNT]
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"


def account(**changes):
    return load_account(AWS_TEMPLATE, AWS_ACCOUNT, {**PARAMETERS, **changes})


def role(**changes):
    (found,) = account(**changes).roles.values()
    return found


def test_the_role_trusts_one_identity_of_one_tenant_by_audience_and_subject():
    (statement,) = role().trust["Statement"]
    issuer = ISSUER.removeprefix("https://")
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::{AWS_ACCOUNT}:oidc-provider/{issuer}"}
    assert statement["Condition"] == {
        "StringEquals": {f"{issuer}:aud": TOKEN_AUDIENCE, f"{issuer}:sub": APP_OBJECT_ID}
    }


def test_the_identity_provider_is_of_the_issuer_with_the_slash_unless_there_is_one_already():
    assert account().audiences == {ISSUER: [TOKEN_AUDIENCE]}
    assert account(CreateIdentityProvider="no").audiences == {}


def test_the_role_has_the_name_and_the_longest_session_that_are_asked_for():
    found = role(RoleName="mover", LongestSessionSeconds="3600")
    assert (found.arn, found.longest_session_seconds) == (f"arn:aws:iam::{AWS_ACCOUNT}:role/mover", 3600)


def test_every_right_is_on_the_accounts_own_tables_or_on_the_export_bucket_but_for_two_lists():
    for policy in role(TableNames="shop-*").policies:
        for statement in policy["Statement"]:
            if statement["Resource"] == "*":
                assert statement["Action"] == ["dynamodb:ListExports", "dynamodb:ListTables"]
            elif "dynamodb" in statement["Resource"]:
                assert f":{AWS_ACCOUNT}:table/shop-*" in statement["Resource"]
            else:
                assert statement["Resource"] in ("arn:aws:s3:::d2c-exports", "arn:aws:s3:::d2c-exports/d2c/*")


def test_a_bucket_with_a_key_of_its_own_adds_the_use_of_that_key_and_nothing_else():
    before, after = role(), role(ExportKeyArn=KEY)
    assert actions_of(after.policies) - actions_of(before.policies) == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert after.policies[-1]["Statement"][0]["Resource"] == KEY


def test_no_action_is_given_by_a_wildcard():
    assert not [action for action in actions_of(role(ExportKeyArn=KEY).policies) if "*" in action]


def test_the_stack_of_another_account_needs_no_bucket():
    parameters = stack_parameters()[OTHER_AWS_ACCOUNT]
    (found,) = load_account(AWS_TEMPLATE, OTHER_AWS_ACCOUNT, parameters).roles
    assert found == f"arn:aws:iam::{OTHER_AWS_ACCOUNT}:role/d2c"


def test_a_parameter_without_a_value_and_one_that_is_not_there_are_named():
    with pytest.raises(StackError, match="AppObjectId has no value"):
        load_account(
            AWS_TEMPLATE,
            AWS_ACCOUNT,
            {name: value for name, value in PARAMETERS.items() if name != "AppObjectId"},
        )
    with pytest.raises(StackError, match="no parameter Colour"):
        account(Colour="red")


def test_a_function_that_is_not_understood_is_named(tmp_path):
    template = tmp_path / "template.yaml"
    shutil.copyfile(AWS_TEMPLATE, template)
    text = template.read_text().replace(
        "RoleName: !Ref RoleName\n      Desc", "RoleName: !Select [0, [a]]\n      Desc"
    )
    template.write_text(text)
    with pytest.raises(StackError, match="Select"):
        load_account(template, AWS_ACCOUNT, PARAMETERS)
