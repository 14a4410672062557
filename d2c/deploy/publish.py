"""Publish the parts of a deployment that differ from this version; others are not changed."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from d2c.app.settings import Settings, read_settings
from d2c.clients.azure.factory_definitions import connect_factory_definitions
from d2c.clients.databricks.files import connect_databricks_files
from d2c.deploy.kernel_wheel import misfit
from d2c.deploy.parameters import parameter_values, with_app_settings
from d2c.deploy.parts import NOTHING, Difference, Part, Target, all_parts
from d2c.deploy.release import Release, own_release
from d2c.errors import D2CError, PermanentError, TransientError

CREATED, UPDATED, UNCHANGED, WAITING = "created", "updated", "unchanged", "waiting"
SKIPPED = "skipped"
# A new workspace or factory answers reliably after some minutes only.
TRIES, TRY_SECONDS = 10, 30


@dataclass(frozen=True)
class Published:
    """The outcome of publishing a part: ``created``, ``updated`` or ``unchanged``; ``waiting`` before another try.

    The native kernel is ``skipped`` where none fits the cluster.

    ``warning`` says why it waits, or how the service's form of an accepted part differs.
    """

    thing: str
    outcome: str
    warning: str = ""


def publish(
    parts: Sequence[Part],
    tell: Callable[[Published], None] = lambda published: None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Published]:
    """Publish parts in order, and read each published part back.

    Args:
        parts: as returned by `all_parts`.
        tell: called with each finished part, and before each further try.
        pause: sleeps for a number of seconds.

    Raises:
        D2CError: if a service rejects a part, does not respond correctly for five minutes, or returns something else
            than was written.
    """
    done = []
    for part in parts:
        with errors_for_deployers():
            published = _publish_patiently(part, tell, pause)
        done.append(published)
        tell(published)
    return done


def _publish_patiently(
    part: Part, tell: Callable[[Published], None], pause: Callable[[float], None]
) -> Published:
    for _ in range(TRIES - 1):
        try:
            return _publish(part)
        except TransientError as error:
            tell(Published(part.thing, WAITING, error.detail))
            pause(TRY_SECONDS)
    return _publish(part)


def _publish(part: Part) -> Published:
    found = part.differences()
    if not found:
        return Published(part.thing, UNCHANGED)
    part.publish()
    left = part.differences()
    shown = "; ".join(f"{each.thing} is {each.found}, not {each.expected}" for each in left)
    is_missing = any((each.thing, each.found) == (part.thing, NOTHING) for each in left)
    if left and (part.is_kept_as_written or is_missing):
        raise D2CError(
            f"After publishing, {shown}.",
            "Set the missing values, or stop other writers, such as another deployment; then try again.",
            "The deployment is incomplete",
        )
    outcome = CREATED if all(each.found == NOTHING for each in found) else UPDATED
    return Published(part.thing, outcome, f"the service returns it in another form: {shown}" if left else "")


@contextmanager
def errors_for_deployers() -> Iterator[None]:
    """Replace an error's next step for operators of the app with one for deployers."""
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
    """Return the differences between the deployment and this version.

    Raises:
        D2CError: if settings are missing, or a part cannot be read.
    """
    environment = with_app_settings(environment)
    target = connect_place(read_settings(environment), environment)
    with errors_for_deployers():
        return find_differences(target)


def deploy(environment: Mapping[str, str], tell: Callable[[Published], None]) -> list[Published]:
    """Publish this version.

    Args:
        environment: the app's settings.
        tell: called with each finished part.

    Raises:
        D2CError: if settings are missing, a service rejects a part, or returns something else than was written.
    """
    environment, release = with_app_settings(environment), own_release()
    settings = read_settings(environment)
    published = publish(all_parts(connect_place(settings, environment), release), tell)
    if unfit := misfit(release.kernel, settings.wheel_path, settings.cluster):
        tell(Published("native kernel", SKIPPED, f"{unfit}. Items are mapped in Python, which is slower"))
    return published


def connect_place(settings: Settings, environment: Mapping[str, str] = os.environ) -> Target:
    """Return the target of the app's deployment.

    Args:
        settings: the app's.
        environment: the source of the global parameters' values, in addition to the settings.
    """
    return Target(
        settings,
        connect_databricks_files(settings),
        connect_factory_definitions(settings),
        parameter_values(settings, environment),
    )


def find_differences(target: Target, release: Release | None = None) -> list[Difference]:
    """Return the differences between the deployment and a version; read-only.

    Args:
        target: the target to compare.
        release: the version; this one if None.

    Raises:
        D2CError: if a part cannot be read.
    """
    return [found for part in all_parts(target, release or own_release()) for found in part.differences()]
