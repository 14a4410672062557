"""The CloudFormation template, held to the rules of its language and to what AWS's own documentation asks for."""

import yaml
from cfnlint.api import lint_file

from localcloud.aws.iam.stack import _Loader
from localcloud.cloud.services import AWS_TEMPLATE

TEMPLATE = yaml.load(AWS_TEMPLATE.read_text(), _Loader)


def test_the_template_is_without_faults_to_cfn_lint():
    assert lint_file(AWS_TEMPLATE) == []


def test_the_linter_would_have_found_a_fault(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(AWS_TEMPLATE.read_text().replace("MaxSessionDuration", "LongestSession"))
    assert lint_file(broken)


def test_the_bucket_is_closed_encrypted_and_outlives_its_stack():
    bucket = TEMPLATE["Resources"]["ExportBucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket["Properties"]
    (denial, *_) = TEMPLATE["Resources"]["ExportBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_role_comes_after_its_provider_and_the_audience_is_not_guessed():
    after = TEMPLATE["Resources"]["AppRole"]["Metadata"]["After"]
    assert after == {"If": ["CreatesIdentityProvider", {"Ref": "IdentityProvider"}, ""]}
    # Entra ID refuses an App ID URI without the application's or the tenant's id.
    # https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions
    assert "Default" not in TEMPLATE["Parameters"]["TokenAudience"]


def test_sessions_may_be_as_short_as_iam_allows_and_as_long():
    longest = TEMPLATE["Parameters"]["LongestSessionSeconds"]
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html
    assert (longest["MinValue"], longest["MaxValue"]) == (3600, 43_200)
