"""Compare expected with actual documents: Spark joins them by identity, and this module judges each pair.

The document of an expiring item exists or not, depending on the moment of reading. So a missing document counts only
if its time to live ends after the reading.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import orjson

from d2c.errors import PermanentError
from d2c.mapping import differences
from d2c.mapping.rejected import shown

# Some versions of the connector use this name for themselves (CosmosWriterBase.scala), and may remove such a property.
CONNECTORS_OWN_NAME = "operationType"
SIDES = ("expected", "actual")
KINDS = ("missing", "unexpected", "different")
MOST_EXAMPLES = 100
"""Of each kind."""
# What seems wrong is read again after a pause: a replica may have been behind. More than this is no such delay.
SECOND_LOOK_SECONDS = 5
MOST_LOOKED_AT_AGAIN = 1_000
IDS_PER_QUERY = 100
# Clocks of cluster and service differ, and `_ts` is in whole seconds.
CLOCK_ALLOWANCE_SECONDS = 120
# Cosmos DB's largest time to live: a later expiry is reduced to it.
LARGEST_TTL_SECONDS = 2_147_483_647

# Joined rows have `e` from the export and `a` from the container. A time to live depends on the moment of
# writing, so it must fit the attribute, but need not equal the expected value.
_TTL_FITS = (
    "case when e.expires_at is null then a.ttl is null "
    f"else abs(least(e.expires_at - a.written_at, {LARGEST_TTL_SECONDS}) - a.ttl) <= {CLOCK_ALLOWANCE_SECONDS} end"
)
_DIFFERS = f"(e.digest != a.digest or e.other_digest != a.digest or not coalesce({_TTL_FITS}, false))"
_SEEMS_WRONG = f"(a.key is null or {_DIFFERS})"
# An export has one line for each key; the lines of one that has more are one expected document, with two digests.
EXPECTED_ONCE_SQL = {
    "digest": "min(digest)",
    "other_digest": "max(digest)",
    "expires_at": "max(expires_at)",
    "lines": "count(*)",
}
JUDGEMENT_SQL = {
    "key": "coalesce(e.key, a.key)",
    # For a second look at what seems wrong.
    "digest": f"case when {_SEEMS_WRONG} then e.digest end",
    "other_digest": f"case when {_SEEMS_WRONG} then e.other_digest end",
    "expires_at": "e.expires_at",
    "lines": "e.lines",
    "is_unlike": "e.digest != e.other_digest",
    "mismatch": (
        "case when a.key is null then 'missing' when e.key is null then 'unexpected' "
        f"when {_DIFFERS} then 'different' end"
    ),
}


def mismatch_sql(kind: str, read_at: int) -> str:
    """Return the SQL condition for a judged row to be a mismatch of a kind.

    Args:
        kind: one of `KINDS`.
        read_at: epoch seconds at which reading the container had ended.
    """
    if kind == "missing":
        last = read_at + CLOCK_ALLOWANCE_SECONDS
        return f"mismatch = 'missing' and (expires_at is null or expires_at > {last})"
    return f"mismatch = '{kind}'"


def counts_sql(read_at: int) -> dict[str, str]:
    """Return the SQL of verification's counts over judged rows, by their names in the report.

    Args:
        read_at: as in `mismatch_sql`.
    """
    missing = mismatch_sql("missing", read_at)
    return {
        "expected": f"count_if(mismatch is null or mismatch = 'different' or ({missing}))",
        "actual": "count_if(mismatch is null or mismatch != 'missing')",
        **{kind: f"count_if({mismatch_sql(kind, read_at)})" for kind in KINDS},
    }


REPEATED_SQL = {
    "keys": "count_if(lines > 1)",
    "unlike": "count_if(lines > 1 and is_unlike)",
    "example": "hex(min(case when lines > 1 then key end))",
}
"""SQL over judged rows: how many keys have several lines, how many of those have different values, and one of them."""


def wrong_sql(read_at: int) -> str:
    """Return the SQL condition for a judged row to be a mismatch of any kind; see `mismatch_sql`."""
    return " or ".join(f"({mismatch_sql(kind, read_at)})" for kind in KINDS)


def needs_second_look(counts: Mapping[str, Any]) -> bool:
    """Return whether there are mismatches, and few enough to be a delay of the service."""
    return 0 < sum(counts[kind] or 0 for kind in KINDS) <= MOST_LOOKED_AT_AGAIN


def counts_after_second_look(first: Mapping[str, int], again: Mapping[str, int]) -> dict[str, int]:
    """Return verification's counts after its mismatches were compared again.

    Args:
        first: the counts of all documents.
        again: the counts of those that were mismatches.
    """
    expected = first["expected"] - first["missing"] - first["different"]
    actual = first["actual"] - first["unexpected"] - first["different"]
    sides = {"expected": expected + again["expected"], "actual": actual + again["actual"]}
    return {**sides, **{kind: again[kind] for kind in KINDS}}


def compare_counts(actual: int, surely: int, possibly: int) -> dict[str, int | None]:
    """Return verification's counts if only numbers of documents are compared.

    Args:
        actual: documents in the container.
        surely: documents that must exist.
        possibly: these, and those that expired around the time of counting.
    """
    return {
        "expected": min(max(actual, surely), possibly),
        "actual": actual,
        "missing": max(surely - actual, 0),
        "unexpected": max(actual - possibly, 0),
        "different": None,
    }


def check_compared_something(counts: Mapping[str, Any], documents_written: int) -> None:
    """Check that a verification compared something if documents were written.

    Raises:
        PermanentError: if neither side had a document, and load runs wrote some.
    """
    if documents_written and not counts["expected"] and not counts["actual"]:
        raise PermanentError(
            f"Verification compared no documents, although {documents_written} were written.",
            "Raise the sample in the plan's verify, or use full.",
        )


def check_keys_once(keys: int, unlike: int, example: str | None) -> None:
    """Check that an export has one line for each key.

    Args:
        keys: how many have several lines.
        unlike: how many of those have lines with different values.
        example: the identity of one.

    Raises:
        PermanentError: if there are any.
    """
    if keys:
        raise PermanentError(
            f"The export has several lines for each of {keys} keys, such as {shown(example or '')}; for {unlike} of "
            "them with different values. The container has one document for each, by whichever line was written last.",
            "DynamoDB has one item for each key: export the table again, then migrate it into an empty container.",
            title="The export has a key twice",
        )


def should_have(attribute: str, census: Mapping[str, Any] | None, assessed: Mapping[str, Any] | None) -> bool:
    """Return whether a load surely wrote documents with an attribute: some items have it, and all items were written.

    Args:
        attribute: its name.
        census: the load's, as in the report; None without one.
        assessed: the sums of the items' outcomes.
    """
    if not census or not assessed or assessed["rejected"] or assessed["expired"]:
        return False
    return any(found["name"] == attribute for found in census["attributes"])


def check_kept(name: str, documents: int) -> None:
    """Check that documents have a property that the load surely wrote.

    Raises:
        PermanentError: if none has.
    """
    if not documents:
        raise PermanentError(
            f"No document in the container has the property {name}, although items have the attribute: this version of "
            "the Cosmos DB connector removes it.",
            f"Rename the attribute by rules.rename, such as {name} to {name}_, then migrate the table again.",
            title="A property was removed",
        )


def describe(
    kinds: Mapping[str, str],
    expected: Mapping[str, Sequence[str]],
    actual: Mapping[str, Sequence[str]],
    *,
    ignore_ttl: bool,
) -> list[dict[str, Any]]:
    """Return mismatches, with the differing properties for kind ``different``.

    Args:
        kinds: ``missing``, ``unexpected`` or ``different`` by document identity.
        expected: expected documents as JSON texts by identity, for those that differ: one, or two where the export has
            several lines for a key.
        actual: actual documents in the same form.
        ignore_ttl: whether `ttl` is ignored because it depends on the time of writing.
    """
    return [
        {
            "kind": kind,
            "document": identity,
            "properties": _properties(expected.get(identity, ()), actual.get(identity, ()), ignore_ttl),
        }
        for identity, kind in sorted(kinds.items())
    ]


def _properties(expected: Sequence[str], actual: Sequence[str], ignore_ttl: bool) -> list[str]:
    if not expected or not actual:
        return []
    document = orjson.loads(actual[0])
    found = [differences(orjson.loads(text), document, ignore_ttl=ignore_ttl) for text in expected]
    return list(dict.fromkeys(map(shown, chain.from_iterable(found)))) or ["ttl"]
