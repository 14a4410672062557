"""Publishing: what is not as this version expects it is written, everything else is left alone."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from d2c.app.settings import Settings, read_settings
from d2c.clients.azure.factory_definitions import connect_factory_definitions
from d2c.clients.databricks.files import connect_databricks_files
from d2c.deploy.parameters import parameter_values
from d2c.deploy.parts import NOTHING, Difference, Part, Target, all_parts
from d2c.deploy.release import Release, own_release
from d2c.errors import D2CError, PermanentError, TransientError

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True)
class Published:
    """What became of a part: ``created``, ``updated`` or ``unchanged``."""

    thing: str
    outcome: str


def publish(
    parts: Sequence[Part], tell: Callable[[Published], None] = lambda published: None
) -> list[Published]:
    """Publish parts in their order, and read back what was written.

    Args:
        parts: such as `all_parts` returns.
        tell: is told each part that is done.

    Raises:
        D2CError: if a service refuses, or keeps something else than what was written.
    """
    done = []
    for part in parts:
        published = _publish(part)
        done.append(published)
        tell(published)
    return done


def _publish(part: Part) -> Published:
    with deployer_told():
        found = part.differences()
        if not found:
            return Published(part.thing, UNCHANGED)
        part.publish()
        left = part.differences()
    if left:
        shown = "; ".join(f"{each.thing} is {each.found}, not {each.expected}" for each in left)
        raise D2CError(
            f"After publishing, {shown}.",
            "Set the missing values, or stop other writers, such as another deployment; then try again.",
            "The deployment is incomplete",
        )
    return Published(part.thing, CREATED if all(each.found == NOTHING for each in found) else UPDATED)


@contextmanager
def deployer_told() -> Iterator[None]:
    """Turn an error's next step, written for whoever runs the app, into one for whoever deploys it."""
    try:
        yield
    except TransientError as error:
        raise D2CError(
            error.detail, "Try again; published parts are kept.", "The deployment stopped"
        ) from error
    except PermanentError as error:
        raise D2CError(
            error.detail,
            "Sign in (az login), and check your account (az account show), your permissions "
            "(docs/install/permissions.md, Deployers), and the names in the settings; then try again: "
            "published parts are kept.",
            "The deployment stopped",
        ) from error


def compare(environment: Mapping[str, str]) -> list[Difference]:
    """Return in what the deployment is not as this version expects it.

    Raises:
        D2CError: if settings are missing, or something cannot be looked at.
    """
    place = connect_place(read_settings(environment), environment)
    with deployer_told():
        return find_differences(place)


def deploy(environment: Mapping[str, str], tell: Callable[[Published], None]) -> list[Published]:
    """Publish this version.

    Args:
        environment: the app's settings.
        tell: is told each part that is done.

    Raises:
        D2CError: if settings are missing, a service refuses, or it keeps something else than what was written.
    """
    release = own_release()
    return publish(all_parts(connect_place(read_settings(environment), environment), release), tell)


def connect_place(settings: Settings, environment: Mapping[str, str] = os.environ) -> Target:
    """Return the place of the app's deployment.

    Args:
        settings: the app's.
        environment: what the global parameters' values are taken from beside the settings.
    """
    return Target(
        settings,
        connect_databricks_files(settings),
        connect_factory_definitions(settings),
        parameter_values(settings, environment),
    )


def find_differences(place: Target, release: Release | None = None) -> list[Difference]:
    """Return in what the deployment is not as a version expects it; nothing if all is. Nothing is changed.

    Args:
        place: where to look.
        release: the version; this one if None.

    Raises:
        D2CError: if something cannot be looked at.
    """
    return [found for part in all_parts(place, release or own_release()) for found in part.differences()]
