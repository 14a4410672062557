"""What a request asks for in IAM's words: its action, its resource, and the values of condition keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

from localcloud.aws.errors import RefusedError, service_of

Environment = Mapping[str, Any]
# Of a bucket; what else may be asked for has names of its own.
SUBRESOURCES = {
    "location": "s3:GetBucketLocation",
    "encryption": "s3:GetEncryptionConfiguration",
    "versioning": "s3:GetBucketVersioning",
    "policy": "s3:GetBucketPolicy",
    "policyStatus": "s3:GetBucketPolicyStatus",
    "ownershipControls": "s3:GetBucketOwnershipControls",
    "publicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "lifecycle": "s3:GetLifecycleConfiguration",
}
OF_OBJECTS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
# What a listing may have beside its prefix.
LISTING = frozenset(
    ("list-type", "prefix", "delimiter", "max-keys", "encoding-type", "continuation-token", "start-after",
     "marker", "fetch-owner")
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """An action on a resource, by IAM's names."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def asked_by(environment: Environment, body: bytes, region: str, account: str) -> Asked:
    """Return what a request of a role's session asks for.

    Args:
        environment: the request's, as WSGI has it.
        body: its body.
        region: what it was signed for.
        account: whose tables are meant by their names.

    Raises:
        RefusedError: if the local cloud does not know which action it is.
    """
    if service_of(environment) == "dynamodb":
        operation = environment["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
        return Asked(
            f"dynamodb:{operation}", _dynamodb_resource(orjson.loads(body or b"{}"), region, account)
        )
    return _asked_of_s3(environment)


def _dynamodb_resource(request: Mapping[str, Any], region: str, account: str) -> str:
    if "ExportArn" in request:
        return str(request["ExportArn"])
    table = request.get("TableArn") or request.get("TableName")
    # ListTables and ListExports are allowed or not for all tables.
    if not table or "MaxResults" in request:
        return "*"
    return table if str(table).startswith("arn:") else f"arn:aws:dynamodb:{region}:{account}:table/{table}"


def _asked_of_s3(environment: Environment) -> Asked:
    bucket, _, key = environment["PATH_INFO"].strip("/").partition("/")
    query = parse_qs(environment.get("QUERY_STRING", ""), keep_blank_values=True)
    method = environment["REQUEST_METHOD"]
    if key and method in OF_OBJECTS and query.keys() <= {"x-id", "versionId"}:
        action = OF_OBJECTS[method] + ("Version" if "versionId" in query else "")
        return Asked(action, f"arn:aws:s3:::{bucket}/{key}")
    if not key and bucket and method in ("GET", "HEAD"):
        named = query.keys() & SUBRESOURCES.keys()
        if named:
            return Asked(SUBRESOURCES[named.pop()], f"arn:aws:s3:::{bucket}")
        if query.keys() <= LISTING:
            return Asked(
                "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": query.get("prefix", [""])[0]}
            )
    raise RefusedError(
        "NotImplemented",
        f"{method} {environment['PATH_INFO']} with {', '.join(query) or 'no query'}: the local cloud does not know "
        "which IAM action this is.",
        501,
    )
