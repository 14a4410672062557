"""The items of the canary's two tables, by the assumption that each is about, and the plan that moves them."""

from collections.abc import Iterator, Mapping
from typing import Any

from d2c.canary.names import KEYS, VALUES, Names

Item = dict[str, Any]

OPERATION_TYPE, NUMBERS, SETS, ODD_IDS, NULL_KEY = "operation type", "numbers", "sets", "odd ids", "null key"

DIGITS_38 = "12345678901234567890123456789012345678"
# Sort keys, which become document ids.
# https://learn.microsoft.com/dotnet/api/microsoft.azure.documents.resource.id
ODD_SORT_KEYS = (
    "Köln/日本/🎵",
    "a#b?c\\d/e",
    " blanks at both ends ",
    "100% |pipe| ~2F %2F",
    "line\nand\ttab",
    "e\u0301 and é",
    "'quotes\"",
    ".",
    "..",
    "sha256:not-one",
)
NUMBER_TEXTS = {
    "whole": DIGITS_38,
    "negative": f"-{DIGITS_38}",
    "fraction": f"0.{DIGITS_38}",
    "above_double": "9007199254740993",
    "at_double": "9007199254740992",
    "large": "1E+125",
    "small": "1E-130",
    "plain": "12.50",
    "zero": "0",
}


def _sample(kind: str, **attributes: Any) -> Item:
    return {"pk": {"S": kind}, "sk": {"S": kind}, **attributes}


# By table and kind. The keys of `values` are pk and sk; those of `keys` are pk alone, and `group` is the partition key.
SAMPLES: Mapping[str, Mapping[str, tuple[Item, ...]]] = {
    VALUES: {
        OPERATION_TYPE: (_sample(OPERATION_TYPE, operationType={"S": "Create"}, other={"S": "stays"}),),
        NUMBERS: (_sample(NUMBERS, **{name: {"N": text} for name, text in NUMBER_TEXTS.items()}),),
        SETS: (
            _sample(
                SETS,
                texts={"SS": ["b", "a", "ä"]},
                numbers={"NS": ["10", "9", DIGITS_38]},
                binaries={"BS": ["/w==", "AA=="]},
                binary={"B": "+/8="},
                nothing={"NULL": True},
                empty={"S": ""},
                nested={"M": {"list": {"L": [{"BOOL": True}, {"NULL": True}, {"M": {}}, {"L": []}]}}},
            ),
        ),
        ODD_IDS: tuple({"pk": {"S": ODD_IDS}, "sk": {"S": key}} for key in ODD_SORT_KEYS),
    },
    KEYS: {
        NULL_KEY: ({"pk": {"S": "of nothing"}, "group": {"NULL": True}},),
        "other keys": (
            {"pk": {"S": "of a text"}, "group": {"S": "null"}},
            {"pk": {"S": "of a number"}, "group": {"N": "7"}},
            {"pk": {"S": "of a truth value"}, "group": {"BOOL": False}},
        ),
    },
}
KEY_ATTRIBUTES = {VALUES: ("pk", "sk"), KEYS: ("pk",)}
RULES: Mapping[str, dict[str, Any]] = {VALUES: {}, KEYS: {"partition_key": ["group"]}}
# One table by each method, so that one run tries both.
METHODS = {VALUES: "full", KEYS: "counts"}
LEAST_RU = 400


def items_of(table: str) -> list[Item]:
    """Return all items of one of the tables."""
    return [item for items in SAMPLES[table].values() for item in items]


def plan_of(names: Names, region: str, account: str, given: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the plan of a canary's migration.

    Args:
        names: the canary's.
        region: of the tables.
        account: of the tables.
        given: tables to move instead of its own.
    """
    tables = [{"table": name} for name in given] or list(_own_tables(names))
    return {
        "name": names.run,
        "database": names.run,
        "region": region,
        "account": account,
        "throughput": {"load_ru_per_second": LEAST_RU, "after_load_ru_per_second": LEAST_RU},
        # So that both share a load run.
        "max_parallel_loads": 1,
        "tables": tables,
    }


def _own_tables(names: Names) -> Iterator[dict[str, Any]]:
    for table in SAMPLES:
        entry = {"table": names.table(table), "container": table, "verify": METHODS[table]}
        yield {**entry, "rules": RULES[table]} if RULES[table] else entry
