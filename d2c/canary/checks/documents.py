"""What became of items that the services might treat in their own way."""

import json
import time
from collections.abc import Sequence
from typing import Any

import orjson

from d2c.canary import samples
from d2c.canary.findings import Found, UntriedError, fails, holds
from d2c.canary.names import KEYS, VALUES
from d2c.canary.scene import Scene
from d2c.mapping import Document, KeySchema, compile_mapper, parse_rules

SHOWN_CHARACTERS = 300


def expected_documents(table: str, items: Sequence[samples.Item]) -> list[dict[str, Any]]:
    """Return the documents that items of one of the canary's tables must become."""
    mapper = compile_mapper(parse_rules(samples.RULES[table], KeySchema(*samples.KEY_ATTRIBUTES[table])))
    mapped = [mapper.map_line(orjson.dumps({"Item": item}), int(time.time())) for item in items]
    return [json.loads(each.body) for each in mapped if isinstance(each, Document)]


def operation_type(scene: Scene) -> Found:
    """Look whether a top-level attribute `operationType` arrived."""
    return _arrived(scene, VALUES, samples.OPERATION_TYPE)


def numbers(scene: Scene) -> Found:
    """Look whether numbers of 38 digits arrived with all of them, and doubles as numbers."""
    return _arrived(scene, VALUES, samples.NUMBERS)


def sets_and_binaries(scene: Scene) -> Found:
    """Look whether sets, binaries, nulls and empty values arrived."""
    return _arrived(scene, VALUES, samples.SETS)


def null_key(scene: Scene) -> Found:
    """Look whether a document whose partition key is an explicit null arrived."""
    return _arrived(scene, KEYS, samples.NULL_KEY)


def odd_ids(scene: Scene) -> Found:
    """Look whether documents arrived whose ids are escaped, and whether each is found by its id."""
    found = _arrived(scene, VALUES, samples.ODD_IDS)
    expected = expected_documents(VALUES, samples.SAMPLES[VALUES][samples.ODD_IDS])
    cosmos, database = scene.deployment.cosmos, scene.names.run
    unread = [
        each["id"] for each in expected if cosmos.read(database, VALUES, each["id"], each["pk"]) is None
    ]
    return fails(f"Not found by id: {_shown(unread)} {found.seen}") if unread else found


def _arrived(scene: Scene, table: str, kind: str) -> Found:
    """Compare the documents in the container with those that the items of a kind must become."""
    scene.succeeded(scene.own_table(table))
    expected = expected_documents(table, samples.SAMPLES[table][kind])
    if not expected:
        raise UntriedError("The mapping rejects these items.")
    documents = {each["id"]: each for each in scene.deployment.cosmos.documents(scene.names.run, table)}
    unlike = [each for each in expected if documents.get(each["id"]) != each]
    if not unlike:
        return holds(
            f"{len(expected)} {'documents are' if len(expected) > 1 else 'document is'} as expected."
        )
    return fails(f"Expected {_shown(unlike[0])}, found {_shown(documents.get(unlike[0]['id']))}.")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
