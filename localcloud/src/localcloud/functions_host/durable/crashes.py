"""Deaths on demand: a host that dies after an activity's work and before its result is stored."""

import logging
import os
from collections.abc import Callable, Collection

from localcloud.functions_host.durable.store import Store

logger = logging.getLogger(__name__)
# What a shell reports of a process that ended by SIGKILL.
KILLED = 137


class Crashes:
    """Where a host dies as by SIGKILL: once after each activity, however often it is started again.

    Args:
        store: remembers those that were.
        activities: after whose first run.
    """

    def __init__(self, store: Store, activities: Collection[str] = ()) -> None:
        self._store, self._activities = store, activities

    def crash_if_due(self, activity: str, before: Callable[[], None] = lambda: None) -> None:
        """Die if the host is to die after this activity and has not yet.

        Args:
            activity: which has run.
            before: called first.
        """
        if activity not in self._activities:
            return
        with self._store.transaction() as connection:
            first = connection.execute("insert or ignore into crashes values(?)", (activity,)).rowcount
        if first:
            logger.warning("The host dies after %s, as it was asked to", activity)
            before()
            os._exit(KILLED)
