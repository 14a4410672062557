"""Whether what is deployed beside the app is what this version expects."""

import os
from collections.abc import Mapping

from d2c.clients.databricks_files import connect_databricks_files
from d2c.clients.factory_definitions import connect_factory_definitions
from d2c.deploying.parameters import parameter_values
from d2c.deploying.parts import Difference, Place, all_parts
from d2c.deploying.release import Release, own_release
from d2c.settings import Settings


def connect_place(settings: Settings, environment: Mapping[str, str] = os.environ) -> Place:
    """Return the place of the app's deployment.

    Args:
        settings: the app's.
        environment: what the global parameters' values are taken from beside the settings.
    """
    return Place(
        settings,
        connect_databricks_files(settings),
        connect_factory_definitions(settings),
        parameter_values(settings, environment),
    )


def find_differences(place: Place, release: Release | None = None) -> list[Difference]:
    """Return in what the deployment is not as a version expects it; nothing if all is. Nothing is changed.

    Args:
        place: where to look.
        release: the version; this one if None.

    Raises:
        D2CError: if something cannot be looked at.
    """
    return [found for part in all_parts(place, release or own_release()) for found in part.differences()]
