"""The values of the data factory's global parameters: what its definitions know of their surroundings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from d2c.app.settings import Settings

# What stands for the key of S3 where each copy run brings credentials of its own.
UNUSED = "unused"


@dataclass(frozen=True)
class Parameter:
    """A global parameter: the setting that gives its value, and what follows where that is not set.

    Without either, the value that the factory has stays, and there must be one.
    """

    setting: str
    otherwise: Callable[[Settings], str] = lambda settings: ""


def _lake_url(settings: Settings) -> str:
    host = urlsplit(settings.lake_url).hostname or f"{settings.lake_account}.blob.core.windows.net"
    return f"https://{host.replace('.blob.', '.dfs.', 1)}/"


def _unused_with_sessions(settings: Settings) -> str:
    return UNUSED if settings.aws.copy_credentials == "session" else ""


PARAMETERS: Mapping[str, Parameter] = {
    "lakeUrl": Parameter("D2C_LAKE__dfsServiceUri", _lake_url),
    "s3ServiceUrl": Parameter("D2C_S3_SERVICE_URL"),
    "awsAccessKeyId": Parameter("D2C_AWS_ACCESS_KEY_ID", _unused_with_sessions),
    "keyVaultUrl": Parameter("D2C_KEY_VAULT_URL", _unused_with_sessions),
}


def parameter_values(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values that this environment gives, by the parameters' names; an empty one is not known here."""
    return {
        name: environment.get(parameter.setting) or parameter.otherwise(settings)
        for name, parameter in PARAMETERS.items()
    }
