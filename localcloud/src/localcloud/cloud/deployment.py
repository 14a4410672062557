"""The product's own deployment, to the local cloud: the wheel, the notebook and Data Factory's definitions."""

import os
import subprocess
import sys
from collections.abc import Sequence

from d2c.app.settings import read_settings
from d2c.clients.azure.factory_definitions import connect_factory_definitions
from d2c.clients.databricks.files import DatabricksFiles, connect_databricks_files
from d2c.deploy import wheel
from d2c.deploy.kernel_wheel import kernel_path
from d2c.deploy.parameters import parameter_values
from d2c.deploy.parts import KernelPart, NotebookPart, Part, WheelPart, parts_of_factory
from d2c.deploy.publish import publish
from d2c.deploy.release import own_release
from localcloud.cloud.app_settings import deployment_settings
from localcloud.cloud.identity import Identity
from localcloud.cloud.processes import ServiceFailedError
from localcloud.common.certificates import Certificates
from localcloud.common.checkout import CHECKOUT
from localcloud.common.names import LIBRARIES, NOTEBOOK_PATH

# Each has an API that the product's deployment publishes to.
DEPLOYED_TO = frozenset({"databricks", "management"})


def wheel_path() -> str:
    """Return the wheel's path in the workspace."""
    return wheel.wheel_path(LIBRARIES)


def deploy_to_workspace(files: DatabricksFiles) -> None:
    """Publish the wheel and the notebook to a running local workspace."""
    release = own_release(CHECKOUT)
    parts: list[Part] = [WheelPart(files, wheel_path(), release.wheel)]
    if release.kernel:
        parts.append(KernelPart(files, kernel_path(release.kernel, LIBRARIES), release.kernel))
    publish([*parts, NotebookPart(files, NOTEBOOK_PATH, release.notebook)])


def deploy(identity: Identity, certificates: Certificates, services: frozenset[str]) -> None:
    """Publish to those of the local cloud's services that run, in a process that signs in as whoever deploys.

    Args:
        identity: the local cloud's.
        certificates: by which its services are trusted.
        services: which ones run.

    Raises:
        ServiceFailedError: if it fails.
    """
    if not services & DEPLOYED_TO:
        return
    ended = subprocess.run(
        [sys.executable, "-m", __name__, *sorted(services & DEPLOYED_TO)],
        env={**os.environ, **deployment_settings(identity), **certificates.trust_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise ServiceFailedError(f"Deploying to the local cloud failed: {ended.stderr.strip()[-2000:]}")


def main(services: Sequence[str]) -> None:
    """Publish to services by the settings in the environment."""
    settings = read_settings(os.environ)
    if "databricks" in services:
        deploy_to_workspace(connect_databricks_files(settings))
    if "management" in services:
        factory = connect_factory_definitions(settings)
        values = parameter_values(settings, os.environ)
        publish(list(parts_of_factory(factory, own_release(CHECKOUT), values)))


if __name__ == "__main__":
    main(sys.argv[1:])
