"""Convert DynamoDB's time to live, a moment, to Cosmos DB's, a duration since the last write.

Sources:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
https://learn.microsoft.com/azure/cosmos-db/nosql/time-to-live
"""

import math
from typing import Any

from d2c.mapping.numbers import parse_number
from d2c.mapping.rejected import Fault

MAX_TTL_SECONDS = 2_147_483_647
IGNORED_AFTER_SECONDS = 5 * 365 * 24 * 60 * 60
_MAX_EPOCH = 2**53  # far beyond the longest time to live, and small enough for a 64-bit column


def read_expiry(tagged: Any, now: int) -> int | None:
    """Return when an item expires, in whole epoch seconds, or None if DynamoDB ignores the value.

    Args:
        tagged: the time-to-live attribute in DynamoDB JSON, or None if the item has none.
        now: epoch seconds at which the item is written.
    """
    if not isinstance(tagged, dict) or tagged.keys() != {"N"}:
        return None
    try:
        expiry = parse_number(tagged["N"])
    except Fault:  # only in an attribute that the rules drop, which is not examined
        return None
    if expiry < now - IGNORED_AFTER_SECONDS:
        return None
    return min(math.floor(expiry), _MAX_EPOCH)


def ttl_seconds(expires_at: int, now: int) -> int:
    """Return the `ttl` of a document written now; 0 or less means that the item is expired."""
    return min(expires_at - now, MAX_TTL_SECONDS)


def ttl_fits(ttl: int | None, written_at: int, expires_at: int | None, tolerance_seconds: int) -> bool:
    """Return whether a stored document expires at the time of its item.

    Args:
        ttl: the document's `ttl`, or None if it has none.
        written_at: the document's `_ts`, in epoch seconds.
        expires_at: the value of `Document.expires_at`, in epoch seconds.
        tolerance_seconds: the longest allowed time between mapping a document and writing it.
    """
    if expires_at is None or ttl is None:
        return ttl is expires_at
    if ttl == MAX_TTL_SECONDS:
        return expires_at >= written_at + MAX_TTL_SECONDS - tolerance_seconds
    return abs(written_at + ttl - expires_at) <= tolerance_seconds
