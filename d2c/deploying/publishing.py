"""Publishing: what is not as this version expects it is written, everything else is left alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from d2c.deploying.parts import NOTHING, Part
from d2c.errors import D2CError, StageError, TransientError

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
            "Set what is named as missing, or end what else writes there, such as another deployment; then try again.",
            "The deployment is not whole",
        )
    return Published(part.thing, CREATED if all(each.found == NOTHING for each in found) else UPDATED)


@contextmanager
def deployer_told() -> Iterator[None]:
    """Turn an error's next step, written for whoever runs the app, into one for whoever deploys it."""
    try:
        yield
    except TransientError as error:
        raise D2CError(
            error.detail, "Try again; what is published already stays.", "The deployment stopped"
        ) from error
    except StageError as error:
        raise D2CError(
            error.detail,
            "Sign in (az login), check who you are (az account show), that you may deploy "
            "(docs/install/permissions.md, Deployers), and the names in the settings; then try again: what is "
            "published already stays.",
            "The deployment stopped",
        ) from error
