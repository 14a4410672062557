"""An activity's policy: how long it may take, and how often it is tried again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)")
DEFAULT_TIMEOUT = "0.12:00:00"
SHORTEST_TIMEOUT = timedelta(minutes=10)
LONGEST_TIMEOUT = timedelta(days=7)
RETRY_INTERVALS = range(30, 86_401)


class PolicyError(Exception):
    """A policy that the service would not accept."""


@dataclass(frozen=True)
class Policy:
    """The longest time of one try, how many tries may follow the first, and the pause between them."""

    timeout: timedelta
    retries: int
    interval_seconds: int


def read_policy(policy: Mapping[str, Any]) -> Policy:
    """Read the policy of an activity.

    https://learn.microsoft.com/azure/data-factory/concepts-pipelines-activities#activity-policy

    Raises:
        PolicyError: if the service would not accept it.
    """
    timeout = _timespan(policy.get("timeout", DEFAULT_TIMEOUT))
    if not SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT:
        raise PolicyError(f"has the timeout {timeout}, which is not from 10 minutes to 7 days")
    retries, interval = policy.get("retry", 0), policy.get("retryIntervalInSeconds", 30)
    if type(retries) is not int or retries < 0:
        raise PolicyError(f"has {retries!r} retries, which is no number of them")
    if interval not in RETRY_INTERVALS:
        raise PolicyError(f"has the retry interval {interval!r}, which is not from 30 to 86400 seconds")
    return Policy(timeout, retries, interval)


def _timespan(text: Any) -> timedelta:
    found = TIMESPAN.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise PolicyError(f"has the timeout {text!r}, which is not of the form D.HH:MM:SS")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
