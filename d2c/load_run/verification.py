"""Judging expected against actual documents: Spark joins them by identity, this says what each pair means."""

from collections.abc import Mapping
from typing import Any

import orjson

from d2c.errors import StageError
from d2c.mapping import differences

MOST_EXAMPLES = 100
# Clocks of cluster and service differ, and `_ts` is in whole seconds.
CLOCK_ALLOWANCE_SECONDS = 120
# Cosmos DB's largest time to live: an attribute further ahead is cut off there.
LARGEST_TTL_SECONDS = 2_147_483_647

COUNTS_SQL = {
    "expected": "count_if(expected and (mismatch is null or mismatch != 'expired'))",
    "actual": "count_if(actual)",
    "missing": "count_if(mismatch = 'missing')",
    "unexpected": "count_if(mismatch = 'unexpected')",
    "different": "count_if(mismatch = 'different')",
}


def judgement_sql(now: int) -> str:
    """Return the SQL that names a pair's mismatch, or null where the two are alike.

    An expected document whose time to live is over has vanished from the container as it should: ``expired``.
    A time to live itself depends on the moment of writing, so it must fit the attribute, not equal the expected one.

    Args:
        now: epoch seconds of the comparison.
    """
    over = f"e.expires_at <= {now + CLOCK_ALLOWANCE_SECONDS}"
    ttl_fits = (
        "case when e.expires_at is null then a.ttl is null "
        f"else abs(least(e.expires_at - a.written_at, {LARGEST_TTL_SECONDS}) - a.ttl) <= {CLOCK_ALLOWANCE_SECONDS} end"
    )
    return (
        f"case when a.identity is null and {over} then 'expired' "
        "when a.identity is null then 'missing' "
        "when e.identity is null then 'unexpected' "
        f"when e.digest != a.digest or not coalesce({ttl_fits}, false) then 'different' end"
    )


def summarise(counts: Mapping[str, int], verify: str) -> dict[str, Any]:
    """Return verification's part of the report; ``compared`` is how many documents each side was asked for."""
    return {**counts, "method": verify}


def check_compared_something(counts: Mapping[str, Any], loaded: Mapping[str, Any] | None) -> None:
    """Refuse a verification that compared nothing although documents were written.

    Raises:
        StageError: if neither side had a document, and the load wrote some.
    """
    if loaded and loaded["documents"] and not counts["expected"] and not counts["actual"]:
        raise StageError(
            f"Verification compared no document although {loaded['documents']} were written.",
            "Raise the sample in the plan's verify, or use full.",
        )


def describe(
    kinds: Mapping[str, str], expected: Mapping[str, str], actual: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return mismatches with, for those that differ, the properties by which they do.

    Args:
        kinds: ``missing``, ``unexpected`` or ``different`` by document identity.
        expected: expected documents as JSON text by identity, for those that differ.
        actual: actual documents alike.
    """
    return [
        {
            "kind": kind,
            "document": identity,
            "properties": _properties(expected.get(identity), actual.get(identity)),
        }
        for identity, kind in sorted(kinds.items())
        if kind != "expired"
    ]


def _properties(expected: str | None, actual: str | None) -> list[str]:
    if expected is None or actual is None:
        return []
    return list(differences(orjson.loads(expected), orjson.loads(actual))) or ["ttl"]
