"""What a deployment reads from its environment: the app's settings, and the data factory's global parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from d2c.app.environment import json_object
from d2c.app.settings import Settings
from d2c.errors import SettingsError

# The value in place of the S3 key if each copy run has credentials of its own.
UNUSED = "unused"
# Further app settings, which win over all others (infra/main.bicep).
APP_SETTINGS = "D2C_APP_SETTINGS"


@dataclass(frozen=True)
class Parameter:
    """A global parameter: the setting with its value, and the value if that is not set.

    Without either, the factory's value is kept, and it must exist.
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


def with_app_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with the app settings that `D2C_APP_SETTINGS` adds to it, as the app has them.

    Raises:
        SettingsError: if they are not a JSON object.
    """
    try:
        further = json_object(APP_SETTINGS, environment.get(APP_SETTINGS) or "{}")
    except ValueError as error:
        raise SettingsError(
            f"{error}.", f'Set it again: azd env set {APP_SETTINGS} \'{{"NAME": "VALUE"}}\''
        ) from None
    return {**environment, **{name: str(value) for name, value in further.items()}}


def parameter_values(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values from this environment by parameter name; an empty value is unknown."""
    return {
        name: environment.get(parameter.setting) or parameter.otherwise(settings)
        for name, parameter in PARAMETERS.items()
    }
