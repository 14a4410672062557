"""Translates the errors of AWS's SDK into those of a migration."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from d2c.clients.answers import ODD_ANSWER, odd_answer, text_of
from d2c.errors import BusyError, PermanentError, TransientError
from d2c.redaction import without_secrets

# Codes for throttling and service faults; these statuses and every 5xx are transient with any code.
TRANSIENT_STATUSES = (408, 429)
TRANSIENT_CODES = {
    "IDPCommunicationError",
    "InternalError",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}

# A limit of the account on concurrent work, above all on exports.
BUSY_CODES = {"LimitExceededException"}

NEXT_STEPS = {
    "AccessDenied": "Grant the app's AWS identity this action on this resource (docs/install/permissions.md).",
    "AccessDeniedException": "Grant the app's AWS identity this action on this resource (docs/install/permissions.md).",
    "ExportConflictException": "Restore the app's previous export settings, or start a new migration.",
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException"),
        "Renew the app's AWS credentials, or use none: set D2C_AWS_ROLES (docs/install/aws.md).",
    ),
    **dict.fromkeys(
        (
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        "Give the app valid AWS credentials, or use none: set D2C_AWS_ROLES (docs/install/aws.md).",
    ),
    "ResourceNotFoundException": "Check the table's name, the region and the AWS account in the plan.",
    "TableNotFoundException": "Check the table's name, the region and the AWS account in the plan.",
    "PointInTimeRecoveryUnavailableException": "Turn on point-in-time recovery for the table.",
    "InvalidExportTimeException": "Check that point-in-time recovery was not turned off, then start a new migration.",
    "NoSuchBucket": "Create the bucket, or set D2C_EXPORT_BUCKET to one that exists.",
}


@contextmanager
def aws_errors(thing: str) -> Iterator[None]:
    """Turn an error of boto3 into a PermanentError or a TransientError.

    Args:
        thing: the subject of the call, such as ``DynamoDB table Music in eu-west-1``.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = text_of(error.response["Error"].get("Message"))
        detail = f"{thing}: {error.operation_name} answered {text_of(code)}: {message}"
        if code in BUSY_CODES:
            raise BusyError(detail, "Retrying until the quota allows it.") from error
        if code in TRANSIENT_CODES or status in TRANSIENT_STATUSES or status >= 500:
            raise TransientError(
                detail, "Retrying. If it keeps failing, see the AWS Health Dashboard."
            ) from error
        next_step = NEXT_STEPS.get(
            code, "See AWS's documentation of this error, fix its cause, then try again."
        )
        raise PermanentError(detail, next_step) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise PermanentError(
            f"{thing}: the app has no AWS credentials: {error}",
            "Set D2C_AWS_ROLES, so that it signs in with its managed identity, or provide credentials in a way "
            "that boto3 supports (docs/install/aws.md).",
        ) from error
    except CredentialRetrievalError as error:
        raise TransientError(
            f"{thing}: the app's AWS credentials could not be retrieved: {_one_line(error)}",
            "Retrying. If it keeps failing, check the role that the app assumes and its trust policy.",
        ) from error
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise TransientError(
            f"{thing}: no complete response: {_one_line(error)}",
            "Retrying. Check the region in the plan, and the network between the app and AWS.",
        ) from error
    except BotoCoreError as error:
        raise PermanentError(f"{thing}: {_one_line(error)}", "Check the app's AWS settings.") from error
    except ODD_ANSWER as error:
        raise odd_answer(thing, error) from error


def _one_line(error: Exception) -> str:
    return text_of(without_secrets(str(error)))
