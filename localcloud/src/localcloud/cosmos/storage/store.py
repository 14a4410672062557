"""What the account holds, in one SQLite file: databases, containers and offers as one JSON text, documents as rows."""

import base64
import json
import sqlite3
import struct
import time
from pathlib import Path
from typing import Any

from localcloud.cosmos.errors import OWNER_MISSING, CosmosError
from localcloud.cosmos.storage import keys, shared_throughput, throughput, unique_keys
from localcloud.cosmos.storage.charges import write_charge
from localcloud.cosmos.storage.container import Container, new_etag, rid_of
from localcloud.cosmos.storage.shared_throughput import SharedThroughput
from localcloud.cosmos.storage.transformation import DONE, Transformation

# What is committed outlives the process, however it ends; waiting for the disk would only guard against a crash of
# the machine, at half the speed of loading. The log grows to 64 MB between checkpoints, as index pages are hot.
PRAGMAS = "pragma journal_mode=wal; pragma synchronous=off; pragma wal_autocheckpoint=16000;"

# Large rows bloat a table without row numbers, so this one has them.
SCHEMA = """
create table if not exists resources(name text primary key, content text);
create table if not exists documents(
  container integer, key text, id text, ring text, number integer, written_at integer, sequence integer, body blob);
create unique index if not exists by_identity on documents(container, key, id);
create index if not exists by_ring on documents(container, ring, number);
create index if not exists by_sequence on documents(container, sequence);
create table if not exists counters(name text primary key, value integer);
"""

Json = dict[str, Any]


class Store:
    """The account's state.

    Args:
        path: the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript(PRAGMAS + SCHEMA + unique_keys.SCHEMA)
        self.load()

    def load(self) -> None:
        """Read all that is kept in memory, as the last committed call left it."""
        row = self.connection.execute("select content from resources where name='account'").fetchone()
        saved: Json = json.loads(row[0]) if row else {"databases": {}, "containers": [], "next": 1}
        self.databases: dict[str, Json] = saved["databases"]
        self._shared = {
            name: SharedThroughput(name, offer) for name, offer in saved.get("database_offers", {}).items()
        }
        self._containers = {
            (entry["database"], entry["properties"]["id"]): Container(
                **entry, shared=None if entry["offer"] else self._shared[entry["database"]]
            )
            for entry in saved["containers"]
        }
        self._next = saved["next"]
        # Counts every write: a document's first number is part of its resource id, its last orders the change feed.
        # It never goes back, even if the last document is deleted: a reader of the change feed would miss changes.
        row = self.connection.execute("select value from counters where name='next_number'").fetchone()
        self.next_number: int = row[0] if row else 1

    def create_database(self, name: str, offer: Json | None = None) -> Json:
        """Create a database.

        Args:
            name: its name.
            offer: the content of the offer that its containers share, if it has one.

        Raises:
            CosmosError: 409, if there is one of that name.
        """
        if name in self.databases:
            raise CosmosError(409, "Resource with specified id, name, or unique index already exists.")
        number = self._take_number()
        rid = rid_of(struct.pack(">I", 0x10000000 + number))
        self.databases[name] = {
            "id": name,
            **_system_properties(f"dbs/{rid}/", rid),
            "_colls": "colls/",
            "_users": "users/",
        }
        if offer:
            self._shared[name] = SharedThroughput(name, _new_offer(number, self.databases[name], offer))
        self.save()
        return self.databases[name]

    def find_database(self, name: str, *, sub_status: int = 0) -> Json:
        """Return a database by its name or resource id.

        Raises:
            CosmosError: 404, with the sub-status.
        """
        for database in self.databases.values():
            if name in (database["id"], database["_rid"]):
                return database
        raise CosmosError(404, f"Resource Not Found: database {name}", sub_status)

    def delete_database(self, name: str) -> None:
        """Delete a database with all in it."""
        database = self.find_database(name)
        for container in self.containers_of(database["id"]):
            self.delete_container(container)
        del self.databases[database["id"]]
        self._shared.pop(database["id"], None)
        self.save()

    def containers_of(self, database: str) -> list[Container]:
        """Return the containers of a database, by its name."""
        return [container for (of, _), container in self._containers.items() if of == database]

    def find_container(self, database: str, name: str, *, sub_status: int = 0) -> Container:
        """Return a container by names or resource ids.

        Raises:
            CosmosError: 404, with the sub-status; 404/1003, if there is no such database.
        """
        for container in self.containers_of(self.find_database(database, sub_status=OWNER_MISSING)["id"]):
            if name in (container.name, container.properties["_rid"]):
                return container
        raise CosmosError(404, f"Resource Not Found: container {database}/{name}", sub_status)

    def create_container(self, database: str, definition: Json, offer: Json | None) -> Container:
        """Create a container.

        Args:
            database: an existing database's name.
            definition: the container as the caller describes it.
            offer: the content of its offer; if None it shares the database's, or has 400 RU/s.

        Raises:
            CosmosError: 409, if there is one of that name; 400, if its partition key is impossible, or too many share
                the database's throughput.
        """
        name = definition["id"]
        if (database, name) in self._containers:
            raise CosmosError(409, "Resource with specified id, name, or unique index already exists.")
        shared = None if offer else self._shared.get(database)
        if shared:
            shared_throughput.check_room(len(self._sharers(database)))
        number = self._take_number()
        parent = self.databases[database]["_rid"]
        rid = rid_of(base64.b64decode(parent.replace("-", "/")) + struct.pack(">I", 0x80000000 + number))
        properties = {
            "indexingPolicy": {
                "indexingMode": "consistent",
                "automatic": True,
                "includedPaths": [{"path": "/*"}],
                "excludedPaths": [{"path": '/"_etag"/?'}],
            },
            **definition,
            "partitionKey": keys.check_definition(definition.get("partitionKey") or {}),
            **_system_properties(f"dbs/{parent}/colls/{rid}/", rid),
            "_docs": "docs/",
            "_conflicts": "conflicts/",
        }
        own = offer or {"offerThroughput": throughput.DEFAULT_RU}
        stored_offer = None if shared else _new_offer(number, properties, own)
        container = Container(number, database, properties, stored_offer, shared=shared)
        self._containers[database, name] = container
        self.save()
        return container

    def delete_container(self, container: Container) -> None:
        """Delete a container with its documents."""
        del self._containers[container.database, container.name]
        self.connection.execute("delete from documents where container=?", (container.number,))
        self.save()

    def containers(self) -> list[Container]:
        """Return all containers."""
        return list(self._containers.values())

    def offers(self) -> list[Json]:
        """Return the offers of databases and containers."""
        own = (container.offer for container in self._containers.values())
        return [*(shared.offer for shared in self._shared.values()), *(offer for offer in own if offer)]

    def change_offer(self, offer: Json, content: Json) -> None:
        """Change the throughput of a container or a database, at once, and split partitions that cannot carry it.

        Raises:
            CosmosError: 400, if it is impossible or below the minimum.
        """
        before = offer["content"]
        checked = throughput.check_content(content)
        throughput.check_change(checked, before)
        shared = next((each for each in self._shared.values() if each.offer is offer), None)
        if shared:
            shared_throughput.check_scaled(len(self._sharers(shared.database)))
        offer["content"] = throughput.with_history(checked, before)
        if shared:
            shared.provide()
        for container in self._containers.values():
            if container.offer is offer or (shared and container.shared is shared):
                container.provide()
        self.save()

    def change_indexing(self, container: Container, policy: Json) -> None:
        """Give a container another indexing policy; what that adds is built from now on, what it drops is gone at once.

        Raises:
            CosmosError: 400, while an earlier change is under way.
        """
        if policy == container.properties["indexingPolicy"]:
            return
        if container.transform() < DONE:
            raise CosmosError(
                400, "Another indexing policy cannot be applied during an index transformation."
            )
        before = container.index_factor
        container.properties["indexingPolicy"] = policy
        container.transformation = Transformation(
            max(container.index_factor - before, 0.0) * self._written_ru(container)
        )

    def _written_ru(self, container: Container) -> float:
        """Return the RU of writing a container's documents without indexes, as if all had the mean size."""
        selected = "select count(*), total(length(body)) from documents where container=?"
        count, size = self.connection.execute(selected, (container.number,)).fetchone()
        return float(count * write_charge(size / max(count, 1), 1.0))

    def _sharers(self, database: str) -> list[Container]:
        return [container for container in self.containers_of(database) if container.offer is None]

    def save_next_number(self) -> None:
        """Write how far the count of writes has come."""
        self.connection.execute(
            "insert or replace into counters values('next_number', ?)", (self.next_number,)
        )

    def save(self) -> None:
        """Write databases, containers and offers."""
        content = {
            "databases": self.databases,
            "database_offers": {name: shared.offer for name, shared in self._shared.items()},
            "containers": [container.saved() for container in self._containers.values()],
            "next": self._next,
        }
        self.connection.execute(
            "insert or replace into resources values('account', ?)", (json.dumps(content),)
        )

    def _take_number(self) -> int:
        self._next += 1
        return int(self._next - 1)


def _new_offer(number: int, resource: Json, content: Json) -> Json:
    """Return a new offer of a database or a container."""
    return {
        "id": f"offer{number}",
        "_rid": f"offer{number}",
        "_self": f"offers/offer{number}/",
        "offerVersion": "V2",
        "resource": resource["_self"],
        "offerResourceId": resource["_rid"],
        "content": throughput.with_history(content, None),
    }


def _system_properties(path: str, rid: str) -> Json:
    return {"_rid": rid, "_self": path, "_etag": new_etag(), "_ts": int(time.time())}
