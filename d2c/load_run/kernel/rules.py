"""A table's rules in the form that the kernel reads: names, limits and escapes are those of the mapper."""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from d2c.load_run.census.counts import MILLISECONDS
from d2c.load_run.throughput.request_units import SYSTEM_PROPERTIES_BYTES
from d2c.mapping import Rules, canonical_value
from d2c.mapping.keys import HASH_PREFIX, JOINER, MAX_ID_BYTES, escape
from d2c.mapping.mapper import MAX_DOCUMENT_BYTES, MAX_PARTITION_KEY_BYTES
from d2c.mapping.names import KEPT_PREFIX, SYSTEM_PROPERTIES
from d2c.mapping.time_to_live import IGNORED_AFTER_SECONDS, MAX_TTL_SECONDS

DOCUMENTS, CENSUS, DIGESTS = "documents", "census", "digests"
"""What the kernel makes of items."""

# What comes near to a limit is left to the mapper, which has the limit's own measure.
NEAR_LIMIT_BYTES = 64
ASCII = range(128)
# Versions of orjson write 1e20 or 1e+20, and digests of both sides must have the same.
EXPONENT_HAS_PLUS = b"+" in orjson.dumps(1e20)


def rules_text(rules: Rules, makes: str, fraction: float = 1.0) -> str:
    """Return a table's rules in the form that the kernel reads."""
    canonical = makes == DIGESTS
    key_names = rules.key_schema.names
    required = dict.fromkeys((*rules.document_id, *rules.required_attributes))
    return json.dumps(
        {
            "makes": makes,
            "numbers": rules.numbers,
            "id": rules.document_id,
            "required": [(name, name not in key_names) for name in required],
            "partition_key": rules.partition_key_properties,
            "moved": list(rules.moved_names().items()),
            "dropped": sorted(rules.drop),
            "constants": [(name, _json(value, canonical)) for name, value in rules.constants.items()],
            "ttl_attribute": rules.ttl_attribute,
            "ignored_after_seconds": IGNORED_AFTER_SECONDS,
            "max_ttl_seconds": MAX_TTL_SECONDS,
            "milliseconds": MILLISECONDS,
            "ignore_ttl": rules.container_has_ttl,
            "sample": fraction * 2**32,
            "has_plus": EXPONENT_HAS_PLUS,
            "escapes": [[_escaped(chr(code), joined) for code in ASCII] for joined in (False, True)],
            "joiner": JOINER,
            "hash_prefix": HASH_PREFIX,
            "max_id_bytes": MAX_ID_BYTES,
            "max_key_bytes": MAX_PARTITION_KEY_BYTES - NEAR_LIMIT_BYTES,
            "max_document_bytes": MAX_DOCUMENT_BYTES - NEAR_LIMIT_BYTES,
            "kept_id": KEPT_PREFIX + "id",
            "system_properties_bytes": SYSTEM_PROPERTIES_BYTES,
        }
    )


def stored_text(rules: Rules, constants: Mapping[str, str], fraction: float) -> str:
    """Return what the kernel needs to read stored documents.

    Args:
        rules: of the table.
        constants: those in its partition key.
        fraction: the part of documents of which there are digests.
    """
    return json.dumps(
        {
            "system": sorted(SYSTEM_PROPERTIES),
            "partition_key": rules.partition_key_properties,
            "constants": [(name, _json(value, True)) for name, value in constants.items()],
            "has_ttl": rules.container_has_ttl,
            "sample": fraction * 2**32,
            "has_plus": EXPONENT_HAS_PLUS,
        }
    )


def _json(value: Any, canonical: bool) -> str:
    """Return a constant's JSON, as it is in a document or as a digest has it."""
    if canonical:
        return orjson.dumps(canonical_value(value), option=orjson.OPT_SORT_KEYS).decode()
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _escaped(character: str, joined: bool) -> str | None:
    """Return what takes the place of a character within an id, or None; blanks at its ends are left to the mapper."""
    escaped = escape(f"a{character}a", joined=joined)[1:-1]
    return None if escaped == character else escaped
