"""moto's DynamoDB with a log of its writes: the point through which every write to a table passes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from localcloud.aws.api import backends
from localcloud.aws.api.write_log import Change, Image, WriteLog
from localcloud.aws.clock import Clock

MICROS = 1_000_000
RECOVERY = "PointInTimeRecoveryDescription"
# Of all tables: what an export reads must not change meanwhile.
WRITING = threading.RLock()

Json = dict[str, Any]


class RecordedBackend(DynamoDBBackend):
    """A region's tables; of those with point-in-time recovery each write is logged with the images around it."""

    # moto finds the URLs of a service next to the module of its backend.
    __module__ = DynamoDBBackend.__module__
    log: ClassVar[WriteLog]
    clock: ClassVar[Clock]

    def create_table(self, *arguments: Any, **more: Any) -> Any:
        """Create a table, by the service's clock."""
        table = super().create_table(*arguments, **more)
        table.created_at = datetime.fromtimestamp(self.clock.now(), UTC).replace(tzinfo=None)
        return table

    def put_item(self, table_name: str, item_attrs: Json, *arguments: Any, **more: Any) -> Any:
        """Put an item."""
        with self._recorded(table_name, item_attrs):
            return super().put_item(table_name, item_attrs, *arguments, **more)

    def update_item(self, table_name: str, key: Json, *arguments: Any, **more: Any) -> Any:
        """Update an item."""
        with self._recorded(table_name, key):
            return super().update_item(table_name, key, *arguments, **more)

    def delete_item(self, table_name: str, key: Json, *arguments: Any, **more: Any) -> Any:
        """Delete an item."""
        with self._recorded(table_name, key):
            return super().delete_item(table_name, key, *arguments, **more)

    def transact_write_items(self, transact_items: list[Json]) -> None:
        """Write items; moto puts the tables back if one of them fails."""
        with WRITING, self.log.transaction():
            super().transact_write_items(transact_items)

    def execute_statement(self, statement: str, parameters: list[Json]) -> Any:
        """Carry out a PartiQL statement, which moto does with a table's own methods."""
        if statement.lstrip().upper().startswith("SELECT"):
            return super().execute_statement(statement, parameters)
        protected = [table.name for table in self.tables.values() if is_protected(table)]
        if protected:
            raise MockValidationException(
                f"The local cloud does not log writes by PartiQL, and {', '.join(protected)} has point-in-time "
                "recovery."
            )
        return super().execute_statement(statement, parameters)

    def update_continuous_backups(self, table_name: str, point_in_time_spec: Json) -> Json:
        """Switch recovery; its window begins with each switching on."""
        before = self.get_table(table_name).continuous_backups[RECOVERY]["PointInTimeRecoveryStatus"]
        backups: Json = super().update_continuous_backups(table_name, point_in_time_spec)
        if before == "DISABLED" and "EarliestRestorableDateTime" in backups[RECOVERY]:
            backups[RECOVERY]["EarliestRestorableDateTime"] = int(self.clock.now())
        return backups

    @contextmanager
    def _recorded(self, table_name: str, attributes: Json) -> Iterator[None]:
        table = self.tables.get(table_name.rpartition("/")[2])
        if table is None or not is_protected(table) or not set(table.table_key_attrs) <= attributes.keys():
            yield
            return
        key = {name: attributes[name] for name in table.table_key_attrs}
        with WRITING:
            old = image_of(table, key)
            yield
            new = image_of(table, key)
            # A write that changes nothing leaves no trace, as in the service's streams.
            if old != new:
                key = _key_in(table, new or old or {})
                change = Change(key, int(self.clock.now() * MICROS), old, new)
                self.log.append(backends.table_id(table), change)


@contextmanager
def one_commit() -> Iterator[None]:
    """Commit the log once for all writes of a batch, which takes most of a write's time."""
    with WRITING, RecordedBackend.log.transaction():
        yield


def install(log: WriteLog, clock: Clock) -> None:
    """Have moto make `RecordedBackend` for every account and region from now on."""
    RecordedBackend.log, RecordedBackend.clock = log, clock
    dynamodb_backends.backend = RecordedBackend


def redo(log: WriteLog, position: int) -> None:
    """Write again what was logged after a position: moto's state was saved there, and the process died later."""
    tables = {backends.table_id(table): table for table in backends.all_tables()}
    for table_id, change in log.after(position):
        if table_id not in tables:
            continue
        if change.new is None:
            tables[table_id].delete_item(*_key_values(tables[table_id], change.key))
        else:
            tables[table_id].put_item(change.new, overwrite=True)


def items_as_of(log: WriteLog, table: Any, micros: int) -> Iterator[Json]:
    """Return a table's items as they were at a time; writes wait meanwhile.

    Args:
        log: the log of its writes.
        table: moto's table as it is now.
        micros: the time: a write of this very microsecond is not in.
    """
    with WRITING:
        changed = set()
        for change in log.net_changes(backends.table_id(table), micros):
            changed.add(_text(change.key))
            if change.old is not None:
                yield change.old
        for item in table.all_items():
            image = backends.item_json(item)
            if not changed or _text(_key_in(table, image)) not in changed:
                yield image


def is_protected(table: Any) -> bool:
    """Return whether a table has point-in-time recovery."""
    return bool(table.continuous_backups[RECOVERY]["PointInTimeRecoveryStatus"] == "ENABLED")


def image_of(table: Any, key: Json) -> Image:
    """Return an item in DynamoDB JSON, or None."""
    item = table.get_item(*_key_values(table, key))
    return None if item is None else backends.item_json(item)


def _key_values(table: Any, key: Json) -> tuple[DynamoType, DynamoType | None]:
    hash_key = DynamoType(key[table.hash_key_attr])
    return hash_key, DynamoType(key[table.range_key_attr]) if table.range_key_attr else None


def _key_in(table: Any, image: Json) -> Json:
    return {name: image[name] for name in table.table_key_attrs}


def _text(key: Json) -> str:
    return str(sorted(key.items()))
