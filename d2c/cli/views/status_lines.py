"""A migration's status as plain lines: for logs and pipes, and as parts of terminal views."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.cli.outcome import ENDED, operations_of
from d2c.cli.views.rendering import UNKNOWN, time_text
from d2c.report.formats import size

COUNTS = {
    "items_exported": "exported",
    "items_written": "written",
    "items_rejected": "rejected",
    "items_expired": "expired",
    "mismatches": "mismatches",
}
WAITS_FOR = {
    "start": "the plan's start",
    "pause": "the migration to be resumed",
    "window": "the plan's window",
    "tables": "other tables: as many run as the plan allows",
    "ahead": "exported tables to be loaded first",
    "aws_limit": "exports under way: together they are as large as AWS allows",
    "container": "another table that is loaded into its container",
    "export_lane": "its export to begin",
    "copy_lane": "its copy to begin",
    "load_lane": "its load to begin",
    "throughput": "its container to be created and scaled",
}


def table_line(table: Mapping[str, Any]) -> str:
    """Return a table's status as one plain line."""
    counts = [f"{table[name]:,} {word}" for name, word in COUNTS.items() if table[name] is not None]
    stage = [f"{table['stage']} {table['percent']} %"] if table["stage"] else []
    parts = [table["table"], table["state"], *stage, *_delays(table), ", ".join(counts)]
    return " | ".join(filter(None, [*parts, *_reasons(table["error"])]))


def pace_text(table: Mapping[str, Any]) -> str:
    """Return how far a table's stage is in items and bytes; empty if it does not tell, or the app is older."""
    progress = table.get("progress")
    if not progress or table["state"] != "running":
        return ""
    items, bytes_ = (progress[name] for name in ("items", "bytes"))
    rate = progress["items_per_second"]
    parts = [
        f"{items:,} of {progress['items_total']:,} items" if items is not None else "",
        f"{size(bytes_)} of {size(progress['bytes_total'])}" if bytes_ is not None else "",
        f"{rate:,.0f} items/s" if rate is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _delays(table: Mapping[str, Any]) -> list[str]:
    """Return why a table makes no progress, if it does not."""
    waiting, stalled = table.get("waiting"), table.get("stalled")
    waits = [f"waits for {WAITS_FOR[waiting['for']]}{_place(waiting)}"] if waiting else []
    stalls = [f"no progress since {time_text(stalled['since'])} UTC"] if stalled else []
    return [*waits, *stalls, *filter(None, [table.get("finding")])]


def _place(waiting: Mapping[str, Any]) -> str:
    """Return a table's place in the queue before a stage; empty for older app versions that do not report it."""
    place = waiting.get("place")
    return f" ({place}. in the queue)" if place else ""


def operation_line(operation: Mapping[str, Any]) -> str:
    """Return an operation's status as one plain line."""
    return " | ".join([operation_name(operation), operation["state"], *_reasons(operation["error"])])


def operation_name(operation: Mapping[str, Any]) -> str:
    """Return an operation's name, such as ``verify 2``."""
    return f"{operation['operation']} {operation['number']}"


def operations_to_show(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the running operations on a migration, or else the last one."""
    operations = operations_of(status)
    return [one for one in operations if one["state"] not in ENDED] or operations[:1]


def counts_of(status: Mapping[str, Any]) -> Mapping[str, int]:
    """Return the number of tables in each state, counted here for older app versions that do not report it."""
    counts: Mapping[str, int] = status.get("counts") or Counter(table["state"] for table in status["tables"])
    return counts


def sums_text(status: Mapping[str, Any]) -> str:
    """Return the sums of a migration's tables; empty for older app versions that do not report them."""
    if "items" not in status:
        return ""
    items = ", ".join(f"{count:,} {name}" for name, count in status["items"].items())
    parts = [f"{status['percent']} %", f"items: {items}"]
    if status["eta"]:
        parts.append(f"estimated completion {minute_text(status['eta'])} UTC")
    if status.get("held_back_by"):
        load = status["stages"][status["held_back_by"]]
        parts.append(f"{load['waiting']:,} tables wait for {status['held_back_by']}, {load['busy']} at once")
    if status["paused"]:
        parts.append(f"paused, resume it: d2c resume {status['id']}")
    if status["waiting_until"]:
        parts.append(f"waits until {minute_text(status['waiting_until'])} UTC")
    return "; ".join(parts)


def minute_text(text: str | None) -> str:
    """Return an ISO time in UTC to the minute, without the year."""
    return UNKNOWN if text is None else text[5:16].replace("T", " ")


def _reasons(error: Mapping[str, Any] | None) -> list[str]:
    return [f"{error['title']}: {error['detail']} Next: {error['next_step']}"] if error else []
