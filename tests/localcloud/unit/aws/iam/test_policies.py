import pytest

from localcloud.aws.iam.policies import PolicyError, actions_of, allows, check_policy

BUCKET = "arn:aws:s3:::exports"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def may(policies, action="s3:GetObject", resource=f"{BUCKET}/d2c/a", **context):
    return allows([policy(*policies)], action, resource, context)


def test_what_no_statement_allows_is_not_allowed():
    assert not may([])
    assert not may([allow("s3:PutObject")])
    assert not may([allow("s3:GetObject", f"{BUCKET}/other/*")])


@pytest.mark.parametrize(
    "action", ["s3:GetObject", "s3:Get*", "S3:getobject", ["s3:PutObject", "s3:GetObject"], "*"]
)
@pytest.mark.parametrize(
    "resource", [f"{BUCKET}/d2c/*", f"{BUCKET}/d2c/?", "*", ["other", f"{BUCKET}/d2c/a"]]
)
def test_actions_and_resources_are_written_alone_in_lists_or_with_wildcards(action, resource):
    assert may([allow(action, resource)])


def test_resources_are_compared_letter_by_letter_and_other_signs_mean_themselves():
    assert not may([allow("s3:GetObject", f"{BUCKET}/D2C/a")])
    assert not may([allow("s3:GetObject", f"{BUCKET}/d2c/[a]")])


def test_a_denial_outweighs_everything():
    assert not may([allow("s3:*"), {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}])


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringLike": {"s3:prefix": "d2c/*"}}, {"s3:prefix": "d2c/x"}, True),
        ({"StringLike": {"s3:prefix": "d2c/*"}}, {"s3:prefix": "other"}, False),
        ({"StringLike": {"s3:prefix": "d2c/*"}}, {}, False),
        ({"StringEquals": {"a:sub": ["x", "y"]}}, {"a:sub": "y"}, True),
        ({"StringEquals": {"a:sub": "*"}}, {"a:sub": "y"}, False),
        ({"StringEquals": {"a:sub": "y", "a:aud": "z"}}, {"a:sub": "y", "a:aud": "w"}, False),
    ],
)
def test_all_conditions_must_hold(condition, context, holds):
    assert allows([policy(allow("s3:GetObject", Condition=condition))], "s3:GetObject", "x", context) is holds


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"Version": "2008-10-17", "Statement": []},
        policy({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),
        policy({"Effect": "Maybe", "Action": "s3:*"}),
        policy(allow("s3:*", NotResource="x")),
        policy(allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
    ],
)
def test_a_policy_that_is_not_understood_is_refused_as_a_whole(document):
    with pytest.raises(PolicyError):
        check_policy(document)


def test_the_actions_of_policies_are_those_of_their_allowing_statements():
    deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    assert actions_of([policy(allow(["a:B", "a:C"]), deny), policy(allow("a:D"))]) == {"a:B", "a:C", "a:D"}
