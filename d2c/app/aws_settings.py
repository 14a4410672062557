"""The settings about AWS: the role for each account and region, and the credentials of Data Factory for S3."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from d2c.app.environment import EMPTY, SettingsGroup, json_object
from d2c.app.prices import DEFAULT_COPY_BYTES_PER_SECOND
from d2c.errors import SettingsError
from d2c.foreign_json import quoted

ROLE_KEY = re.compile(r"(?P<account>[0-9]{12})(/(?P<region>[a-z]{2}(-[a-z]+)+-[0-9]))?")
ACCOUNT = re.compile(r"[0-9]{12}")
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[\w+=,.@/-]{1,576}")
KMS_KEY = re.compile(r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/)?[A-Za-z0-9-]{1,64}")
CopyCredentials = Literal["session", "key_vault"]
COPY_CREDENTIALS = get_args(CopyCredentials)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
SESSION_SECONDS = (900, 43_200)


def read_roles(text: str) -> Mapping[str, str]:
    """Return the roles of ``D2C_AWS_ROLES``.

    Args:
        text: a JSON object, or nothing.

    Raises:
        ValueError: with a sentence per fault.
    """
    if not text:
        return {}
    roles = json_object("D2C_AWS_ROLES", text)
    if not roles:
        raise ValueError("D2C_AWS_ROLES is not a JSON object with a role in it")
    faults = [fault for key, arn in roles.items() if (fault := _role_fault(key, arn))]
    if faults:
        raise ValueError(*faults)
    return roles


def _role_fault(key: str, arn: Any) -> str | None:
    place = ROLE_KEY.fullmatch(key)
    if not place:
        return f"D2C_AWS_ROLES has the key {quoted(key)}, not <12 digits> or <12 digits>/<region>"
    role = ROLE_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if not role:
        return (
            f"D2C_AWS_ROLES has {quoted(arn)} for {key}, not a role such as arn:aws:iam::{key[:12]}:role/d2c"
        )
    if role["account"] != place["account"]:
        return f"D2C_AWS_ROLES has a role of account {role['account']} for {key}"
    return None


Roles = Annotated[Mapping[str, str], PlainValidator(read_roles)]


class AwsSettings(SettingsGroup):
    """How the app signs in to AWS.

    ``roles`` maps ``<account>`` or ``<account>/<region>`` to the ARN of the role to assume there; without any,
    credentials come from boto3's default chain. ``account`` is the account of plans that name none, empty if unknown.
    ``longest_session_seconds`` is what the roles allow. ``export_kms_key`` encrypts exports; S3's own keys if empty.
    ``app_name`` is set by Azure (https://learn.microsoft.com/azure/app-service/reference-app-settings).
    """

    roles: Roles = Field(EMPTY, validation_alias="D2C_AWS_ROLES")
    account: str = Field("", validation_alias="D2C_AWS_ACCOUNT")
    token_audience: str = Field("", validation_alias="D2C_AWS_TOKEN_AUDIENCE")
    longest_session_seconds: int = Field(
        3600, validation_alias="D2C_AWS_SESSION_SECONDS", ge=SESSION_SECONDS[0], le=SESSION_SECONDS[1]
    )
    bucket_owner: str = Field("", validation_alias="D2C_EXPORT_BUCKET_OWNER")
    export_kms_key: str = Field("", validation_alias="D2C_EXPORT_KMS_KEY")
    copy_credentials: CopyCredentials = Field(EMPTY, validation_alias="D2C_COPY_CREDENTIALS")
    copy_bytes_per_second: int = Field(
        DEFAULT_COPY_BYTES_PER_SECOND, validation_alias="D2C_COPY_BYTES_PER_SECOND", ge=1, le=10**12
    )
    app_name: str = Field("", validation_alias="WEBSITE_SITE_NAME")

    def role(self, account: str | None, region: str) -> str | None:
        """Return the ARN of the role for an account and region, or None without roles.

        Args:
            account: its 12 digits, or None for the default account.
            region: the AWS region.

        Raises:
            SettingsError: if there are roles, but none for it.
        """
        if not self.roles:
            return None
        fault = self.fault(account, region)
        if fault:
            raise SettingsError(fault, "Set it in the app settings (docs/install/aws.md).")
        account = account or self.account
        return self.roles.get(f"{account}/{region}") or self.roles[account]

    def bucket_account(self, account: str | None, region: str) -> str | None:
        """Return the account whose role reads the export bucket: the owner's if it has a role, else the tables'."""
        owner = self.bucket_owner
        return owner if owner and self.roles and not self.fault(owner, region) else account

    def bucket_role(self, account: str | None, region: str) -> str | None:
        """Return the ARN of the role that reads the export bucket for tables of an account; otherwise like `role`."""
        return self.role(self.bucket_account(account, region), region)

    def fault(self, account: str | None, region: str) -> str | None:
        """Return why there is no role for an account and region, or None if there is one or none is needed."""
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

    # Each validator below sees the fields declared before its own, as far as they are valid.

    @field_validator("account", "bucket_owner")
    @classmethod
    def _account_has_12_digits(cls, account: str, info: ValidationInfo) -> str:
        if account and not ACCOUNT.fullmatch(account):
            name = cls.model_fields[str(info.field_name)].validation_alias
            raise ValueError(f"{name} is {quoted(account)}, not an AWS account's 12 digits")
        return account

    @field_validator("account")
    @classmethod
    def _account_defaults_to_the_only_one(cls, account: str, info: ValidationInfo) -> str:
        accounts = {key.partition("/")[0] for key in info.data.get("roles", ())}
        return account or (accounts.pop() if len(accounts) == 1 else "")

    @field_validator("export_kms_key")
    @classmethod
    def _key_is_one_of_kms(cls, key: str) -> str:
        if key and not KMS_KEY.fullmatch(key):
            raise ValueError(
                f"D2C_EXPORT_KMS_KEY is {quoted(key)}, not a KMS key's id or ARN such as "
                "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            )
        return key

    @field_validator("token_audience")
    @classmethod
    def _roles_need_an_audience(cls, audience: str, info: ValidationInfo) -> str:
        if info.data.get("roles") and not audience:
            raise ValueError(
                "D2C_AWS_TOKEN_AUDIENCE is missing: D2C_AWS_ROLES needs the App ID URI that tokens for AWS are made "
                "out to, such as api://<application id>"
            )
        return audience.removesuffix("/.default")

    @field_validator("copy_credentials", mode="before")
    @classmethod
    def _sessions_need_roles(cls, credentials: str, info: ValidationInfo) -> str:
        # Invalid roles are absent from the data, and count as roles.
        has_roles = bool(info.data.get("roles", True))
        if credentials == "session" and not has_roles:
            raise ValueError("D2C_COPY_CREDENTIALS is session, which needs a role in D2C_AWS_ROLES")
        return credentials or ("session" if has_roles else "key_vault")
