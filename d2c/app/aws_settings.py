"""The settings about AWS: which role stands for which account and region, and with what Data Factory reads S3."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from d2c.errors import SettingsError

ROLE_KEY = re.compile(r"(?P<account>[0-9]{12})(/(?P<region>[a-z]{2}(-[a-z]+)+-[0-9]))?")
ACCOUNT = re.compile(r"[0-9]{12}")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[\w+=,.@/-]{1,576}")
COPY_CREDENTIALS = ("session", "key_vault")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
SESSION_SECONDS = (900, 43_200)
DEFAULT_SESSION_SECONDS = 3600
# A cautious guess: Microsoft tells of gigabytes per second at most, and of whole factories that copied far less.
# https://learn.microsoft.com/azure/data-factory/data-migration-guidance-s3-azure-storage
DEFAULT_COPY_BYTES_PER_SECOND = 50_000_000


@dataclass(frozen=True)
class AwsSettings:
    """How the app gets at AWS.

    ``roles`` maps ``<account>`` or ``<account>/<region>`` to the ARN of the role that is taken there; without any,
    credentials come from boto3's ordinary chain. ``account`` is that of plans that name none, empty if unknown.
    ``longest_session_seconds`` is what the roles allow, ``copy_credentials`` one of `COPY_CREDENTIALS`.
    """

    roles: Mapping[str, str] = field(hash=False)
    account: str
    token_audience: str
    longest_session_seconds: int
    bucket_owner: str
    copy_credentials: str
    copy_bytes_per_second: int
    app_name: str

    def role(self, account: str | None, region: str) -> str | None:
        """Return the ARN of the role for an account and region, or None if no roles are taken.

        Args:
            account: its 12 digits, or None for that of plans that name none.
            region: the AWS region.

        Raises:
            SettingsError: if roles are taken, and there is none for it.
        """
        if not self.roles:
            return None
        fault = self.fault(account, region)
        if fault:
            raise SettingsError(fault, "Set it in the app settings (docs/install/aws.md).")
        account = account or self.account
        return self.roles.get(f"{account}/{region}") or self.roles[account]

    def bucket_account(self, account: str | None, region: str) -> str | None:
        """Return whose role reads the export bucket: its owner's where there is one, else the tables' own."""
        owner = self.bucket_owner
        return owner if owner and self.roles and not self.fault(owner, region) else account

    def bucket_role(self, account: str | None, region: str) -> str | None:
        """Return the ARN of the role that reads the export bucket for tables of an account; as `role` otherwise."""
        return self.role(self.bucket_account(account, region), region)

    def fault(self, account: str | None, region: str) -> str | None:
        """Return why there is no role for an account and region, or None if nothing is in the way."""
        if not self.roles:
            if account in (None, self.account):
                return None
            return (
                f"account {account}: D2C_AWS_ROLES names no roles, so the app's AWS credentials decide on the "
                "account; leave `account` out, or set D2C_AWS_ROLES"
            )
        if not (account or self.account):
            return (
                "account: missing; D2C_AWS_ROLES has several accounts, so name one in the plan, or set "
                "D2C_AWS_ACCOUNT"
            )
        account = account or self.account
        if not self.roles.keys() & {account, f"{account}/{region}"}:
            return f"account {account} in {region}: D2C_AWS_ROLES has no role for {account} or {account}/{region}"
        return None


def read_aws_settings(environment: Mapping[str, str], faults: list[str]) -> AwsSettings:
    """Read the settings about AWS.

    Args:
        environment: names to texts; an empty text counts as missing.
        faults: what is wrong is added to it.
    """
    roles = _roles(environment.get("D2C_AWS_ROLES", ""), faults)
    audience = environment.get("D2C_AWS_TOKEN_AUDIENCE", "")
    if roles and not audience:
        faults.append(
            "D2C_AWS_TOKEN_AUDIENCE is missing: D2C_AWS_ROLES needs the App ID URI that tokens for AWS are made "
            "out to, such as api://d2c-aws"
        )
    copy_credentials = environment.get("D2C_COPY_CREDENTIALS") or ("session" if roles else "key_vault")
    if copy_credentials not in COPY_CREDENTIALS:
        faults.append(
            f"D2C_COPY_CREDENTIALS is {copy_credentials!r}, not one of {', '.join(COPY_CREDENTIALS)}"
        )
    elif copy_credentials == "session" and not roles:
        faults.append("D2C_COPY_CREDENTIALS is session, which needs a role in D2C_AWS_ROLES")
    return AwsSettings(
        roles=roles,
        account=_account(environment, "D2C_AWS_ACCOUNT", faults) or _only_account(roles),
        token_audience=audience.removesuffix("/.default"),
        longest_session_seconds=_whole(
            environment, "D2C_AWS_SESSION_SECONDS", DEFAULT_SESSION_SECONDS, SESSION_SECONDS, faults
        ),
        bucket_owner=_account(environment, "D2C_EXPORT_BUCKET_OWNER", faults),
        copy_credentials=copy_credentials,
        copy_bytes_per_second=_whole(
            environment, "D2C_COPY_BYTES_PER_SECOND", DEFAULT_COPY_BYTES_PER_SECOND, (1, 10**12), faults
        ),
        # https://learn.microsoft.com/azure/app-service/reference-app-settings
        app_name=environment.get("WEBSITE_SITE_NAME", ""),
    )


def _roles(text: str, faults: list[str]) -> Mapping[str, str]:
    if not text:
        return {}
    try:
        roles = json.loads(text)
    except ValueError as error:
        faults.append(f"D2C_AWS_ROLES is not JSON: {error}")
        return {}
    if not isinstance(roles, dict) or not roles:
        faults.append("D2C_AWS_ROLES is not a JSON object with a role in it")
        return {}
    for key, arn in roles.items():
        place = ROLE_KEY.fullmatch(key)
        role = ROLE_ARN.fullmatch(arn) if isinstance(arn, str) else None
        if not place:
            faults.append(f"D2C_AWS_ROLES has the key {key!r}, not <12 digits> or <12 digits>/<region>")
        elif not role:
            faults.append(
                f"D2C_AWS_ROLES has {arn!r} for {key}, not a role such as arn:aws:iam::{key[:12]}:role/d2c"
            )
        elif role["account"] != place["account"]:
            faults.append(f"D2C_AWS_ROLES has a role of account {role['account']} for {key}")
    return roles


def _only_account(roles: Mapping[str, str]) -> str:
    accounts = {key.partition("/")[0] for key in roles}
    return accounts.pop() if len(accounts) == 1 else ""


def _account(environment: Mapping[str, str], name: str, faults: list[str]) -> str:
    account = environment.get(name, "")
    if account and not ACCOUNT.fullmatch(account):
        faults.append(f"{name} is {account!r}, not an AWS account's 12 digits")
    return account


def _whole(
    environment: Mapping[str, str], name: str, default: int, bounds: tuple[int, int], faults: list[str]
) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not bounds[0] <= int(text) <= bounds[1]:
        faults.append(f"{name} is {text!r}, not a whole number from {bounds[0]} to {bounds[1]}")
        return default
    return int(text)
