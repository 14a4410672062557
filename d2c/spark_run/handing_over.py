"""The hand-over of a table from assess to load, in one run or from one to the next."""

from collections.abc import Callable

from d2c.load_run.unit.handover import (
    ASSESSED_BYTES,
    ASSESSED_FILE,
    Assessed,
    check_listing,
    is_let_go,
    listing_of,
    parse_assessed,
)
from d2c.spark_run.table_load import TableLoad

FOUND_BY_ASSESS = ("assessed_at", "assessed", "files", "census")


def hand_over(load: TableLoad, read_log: Callable[[], str]) -> bool:
    """Say what has been assessed, and wait for the container; return whether the table may be loaded now.

    Args:
        load: the table's, which has been assessed.
        read_log: returns the text of the log of the run's unit.
    """
    within = load.request.go_within_seconds
    if within is None:
        return True
    found = {name: load.progress.found(name) for name in FOUND_BY_ASSESS}
    assessed = Assessed(**found, listing=listing_of(load.files), stages=load.progress.ended_stages())
    load.progress.wait()
    load.put(ASSESSED_FILE, assessed.to_json())
    return is_let_go(load.request.table, read_log, within)


def take_over(load: TableLoad) -> None:
    """Take what an earlier run has assessed, if this one has not, and hold the data files to it."""
    path = load.request.assessed_by
    if path is None:
        return
    assessed = parse_assessed(load.dbutils.fs.head(path, ASSESSED_BYTES))
    check_listing(load.files, assessed)
    load.progress.note(**{name: getattr(assessed, name) for name in FOUND_BY_ASSESS})
