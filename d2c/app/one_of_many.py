"""Many things in turn, of which one that fails does not stop the others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from d2c.errors import D2CError

logger = logging.getLogger(__name__)


@contextmanager
def one_of_many(thing: str) -> Iterator[None]:
    """Log the error of one of many things, and continue with the next.

    Args:
        thing: the thing, such as ``the lock containers/a/b/c.json``.
    """
    try:
        yield
    except D2CError as error:
        logger.warning("%s is left out: %s", thing, error)
    except Exception:
        # What others wrote may be anything, and so may what it leads to.
        logger.exception("%s is left out", thing)
