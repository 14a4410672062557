"""Who AWS takes the app for."""

from d2c.clients.aws_errors import aws_errors
from d2c.clients.aws_sign_in import aws_client
from d2c.settings import Settings


def aws_caller(settings: Settings, account: str | None, region: str) -> str:
    """Return the ARN of the app's AWS identity; the call needs no right.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html

    Args:
        settings: the app's.
        account: its 12 digits, or None for that of plans that name none.
        region: the AWS region.
    """
    with aws_errors(f"AWS identity in {region}"):
        return str(aws_client(settings, "sts", account, region).get_caller_identity()["Arn"])
