"""What `d2c deploy` does, with the settings of an environment."""

from collections.abc import Callable, Mapping

from d2c.deploying.findings import connect_place, find_differences
from d2c.deploying.parts import Difference, all_parts
from d2c.deploying.publishing import Published, deployer_told, publish
from d2c.deploying.release import own_release
from d2c.settings import read_settings


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
