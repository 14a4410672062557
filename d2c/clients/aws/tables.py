"""What DynamoDB says of a table: its keys, its secondary indexes, its size and its capacity."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from d2c.clients.answers import count_of, name_of, typed
from d2c.mapping.indexing import TableIndex


@dataclass(frozen=True)
class TableDescription:
    """The properties of a table that a migration needs before the export."""

    arn: str
    hash_key: str
    range_key: str | None
    item_count: int
    size_bytes: int
    ttl_attribute: str | None
    table_class: str = "STANDARD"
    number_keys: tuple[str, ...] = ()
    indexes: tuple[TableIndex, ...] = ()
    read_units: int = 0
    write_units: int = 0

    @property
    def index_keys(self) -> tuple[str, ...]:
        """The key attributes of all secondary indexes, each once."""
        return tuple(dict.fromkeys(name for index in self.indexes for name in index.keys))


def described(table: Mapping[str, Any], time_to_live: Mapping[str, Any]) -> TableDescription:
    """Return a table from its description and that of its time to live."""
    keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    types = {each["AttributeName"]: each["AttributeType"] for each in table.get("AttributeDefinitions", ())}
    has_time_to_live = time_to_live.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return TableDescription(
        arn=table["TableArn"],
        hash_key=keys["HASH"],
        range_key=keys.get("RANGE"),
        item_count=table.get("ItemCount", 0),
        size_bytes=table.get("TableSizeBytes", 0),
        ttl_attribute=time_to_live.get("AttributeName") if has_time_to_live else None,
        table_class=table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        number_keys=tuple(name for name in keys.values() if types.get(name) == "N"),
        indexes=tuple(_indexes(table, types)),
        # Of a table on demand both are 0.
        read_units=count_of(table.get("ProvisionedThroughput", {}).get("ReadCapacityUnits")),
        write_units=count_of(table.get("ProvisionedThroughput", {}).get("WriteCapacityUnits")),
    )


def _indexes(table: Mapping[str, Any], types: Mapping[str, str]) -> Iterator[TableIndex]:
    """Yield the secondary indexes, each with the attributes of its key in order."""
    for kind, field in (("GSI", "GlobalSecondaryIndexes"), ("LSI", "LocalSecondaryIndexes")):
        for index in table.get(field) or ():
            hash_keys, range_keys = (
                tuple(name_of(key["AttributeName"]) for key in index["KeySchema"] if key["KeyType"] == part)
                for part in ("HASH", "RANGE")
            )
            tags = tuple(str(types.get(name, "S")) for name in (*hash_keys, *range_keys))
            yield typed(TableIndex(name_of(index["IndexName"]), kind, hash_keys, range_keys, tags))
