"""The pace of updates of throughput: an account takes 25 in five minutes, and says when it takes the next one.

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#control-plane
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from d2c.clients.azure.sign_in import azure_errors
from d2c.errors import BusyError, TransientError

MOST_SECONDS = 300.0
NEXT_STEP = "Retrying until the account accepts it; it accepts 25 updates in 5 minutes."


class UpdatePace:
    """Holds all updates of an account back until the moment that it has named with a refusal.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = 0.0

    @contextmanager
    def update(self, thing: str) -> Iterator[None]:
        """Let an update be made, unless the account takes none yet; turn its errors into ours.

        Args:
            thing: the subject of the update.

        Raises:
            BusyError: if the account has had as many updates as it takes.
        """
        left = self._next_at - self._clock()
        if left > 0:
            raise BusyError(f"{thing}: the account takes no update for {left:.0f} seconds.", NEXT_STEP)
        try:
            with azure_errors(thing):
                yield
        except TransientError as error:
            if getattr(error.__cause__, "status_code", None) != 429:
                raise
            self._next_at = self._clock() + _seconds_of(error.__cause__)
            raise BusyError(error.detail, NEXT_STEP) from error


def _seconds_of(refusal: BaseException | None) -> float:
    """Return for how long a refusal tells to wait; 0 if it does not say so."""
    headers = getattr(getattr(refusal, "response", None), "headers", None) or {}
    try:
        return min(max(float(headers.get("Retry-After", 0)), 0.0), MOST_SECONDS)
    except ValueError:
        return 0.0
