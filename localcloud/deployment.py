"""The product's own deployment, to the local cloud: the wheel, the notebook and Data Factory's definitions."""

from pathlib import Path

from d2c.app.settings import read_settings
from d2c.clients.azure.factory_definitions import connect_factory_definitions
from d2c.clients.databricks.files import DatabricksFiles, connect_databricks_files
from d2c.deploy import wheel
from d2c.deploy.parameters import parameter_values
from d2c.deploy.parts import NotebookPart, WheelPart, parts_of_factory
from d2c.deploy.publish import publish
from d2c.deploy.release import own_release
from localcloud.app_settings import deployment_settings
from localcloud.identity import Identity
from localcloud.names import LIBRARIES, NOTEBOOK_PATH

CHECKOUT = Path(__file__).parents[1]


def wheel_path() -> str:
    """Return the wheel's path in the workspace."""
    return wheel.wheel_path(LIBRARIES)


def deploy_to_workspace(files: DatabricksFiles) -> None:
    """Publish the wheel and the notebook to a running local workspace."""
    release = own_release(CHECKOUT)
    publish(
        [
            WheelPart(files, wheel_path(), release.wheel),
            NotebookPart(files, NOTEBOOK_PATH, release.notebook),
        ]
    )


def deploy(identity: Identity, services: frozenset[str]) -> None:
    """Publish to those of the local cloud's services that run.

    Args:
        identity: the local cloud's.
        services: which ones run.
    """
    environment = deployment_settings(identity)
    settings = read_settings(environment)
    if "databricks" in services:
        deploy_to_workspace(connect_databricks_files(settings))
    if "management" in services:
        factory = connect_factory_definitions(settings)
        values = parameter_values(settings, environment)
        publish(list(parts_of_factory(factory, own_release(CHECKOUT), values)))
