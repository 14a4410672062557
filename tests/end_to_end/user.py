"""What a user of the local cloud does: makes tables, starts migrations, waits for their end, reads containers."""

import json
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from azure.cosmos import CosmosClient
from azure.cosmos.exceptions import CosmosResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient

from localcloud.cloud.app_settings import lake_connection, lake_urls
from localcloud.cloud.services import Cloud, aws_client
from localcloud.common import names
from localcloud.common.principals import Principal
from localcloud.entra.tokens import issue_token
from tests.api_document import check_answer
from tests.contract.polling import HANG_SECONDS, wait_until
from tests.contract.signed import Signed

API = "/api/migrations"
ENDED = ("succeeded", "failed", "cancelled")
# To say how a migration stands takes the app a good part of a tenth of a second.
LOOK_SECONDS = 0.5
SYSTEM_PROPERTIES = ("_rid", "_self", "_etag", "_attachments", "_ts")


class User:
    """A user of a running local cloud.

    Args:
        cloud: the cloud.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.http = httpx.Client(
            base_url=cloud.identity.url("functions_host"),
            timeout=HANG_SECONDS,
            trust_env=False,
            event_hooks={"response": [hold_against_document]},
        )
        self.dynamodb = aws_client(cloud.identity, "dynamodb")
        self.s3 = aws_client(cloud.identity, "s3")
        self.lake = BlobServiceClient.from_connection_string(
            lake_connection(cloud.identity)
        ).get_container_client(names.LAKE_FILE_SYSTEM)
        self.trust = ssl.create_default_context(cafile=str(cloud.certificates.authority))
        self.cosmos = CosmosClient(cloud.identity.url("cosmos"), cloud.identity.cosmos_key)

    def lake_as(self, principal: Principal) -> ContainerClient:
        """Return the lake's file system for an identity, which signs in with a token as on Azure."""
        identity = self.cloud.identity
        token = issue_token(identity.token_signing_key, "https://storage.azure.com", principal)
        return BlobServiceClient(
            lake_urls(identity, "LAKE")["LAKE__blobServiceUri"],
            credential=Signed(token),
            connection_verify=str(self.cloud.certificates.authority),
        ).get_container_client(names.LAKE_FILE_SYSTEM)

    def create_table(
        self, name, items, *, keys=("pk", "S"), recovery=True, ttl=None, account=names.AWS_ACCOUNT
    ):
        """Make a table from items in DynamoDB JSON; ``keys`` are name, type, name, type."""
        dynamodb = self.dynamodb
        if account != names.AWS_ACCOUNT:
            dynamodb = aws_client(self.cloud.identity, "dynamodb", account)
        pairs = list(zip(keys[::2], keys[1::2], strict=True))
        dynamodb.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for (key, _), kind in zip(pairs, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": type_} for key, type_ in pairs],
            BillingMode="PAY_PER_REQUEST",
        )
        if recovery:
            dynamodb.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        if ttl:
            dynamodb.update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl}
            )
        for start in range(0, len(items), 25):
            batch = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={name: batch})

    def start(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Start a migration, and return what the app answered."""
        answer = self.http.post(API, json=plan)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def status(self, migration: str) -> dict[str, Any]:
        """Return how a migration stands."""
        answer = self.http.get(f"{API}/{migration}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def table(self, migration: str, table: str) -> dict[str, Any]:
        """Return how one table of a migration stands."""
        return next(entry for entry in self.status(migration)["tables"] if entry["table"] == table)

    def ended(self, migration: str) -> dict[str, Any]:
        """Return a migration's status once it has ended."""

        def look():
            status = self.status(migration)
            return status if status["state"] in ENDED else None

        return wait_until(look, LOOK_SECONDS)

    def check(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Check a plan, and return what was found once the check has ended."""
        answer = self.http.post(API, json=plan, params={"dry_run": "true", "wait": 60})
        # On a busy machine a check may take longer than the answer waits for it.
        assert answer.status_code in (200, 202), answer.text
        return self.checked(answer.json()["id"])

    def checked(self, check: str) -> dict[str, Any]:
        """Return what a check found once it has ended."""

        def look():
            found = self.http.get(f"/api/checks/{check}").json()
            return found if found["state"] != "running" else None

        return wait_until(look, LOOK_SECONDS)

    def operate(self, migration: str, operation: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start a verify or a replay of a migration, and return its status once it has ended."""
        answer = self.http.post(f"{API}/{migration}/{operation}", **({"json": body} if body else {}))
        assert answer.status_code == 202, answer.text
        started = answer.json()
        assert (started["id"], started["operation"]) == (migration, operation)

        def look():
            last = self.status(migration)["operations"][0]
            assert last["number"] == started["number"]
            return last if last["state"] in ENDED else None

        return wait_until(look, LOOK_SECONDS)

    def rejected(self, migration: str, **wanted: str) -> list[dict[str, Any]]:
        """Return all rejected items of a migration, page by page."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.http.get(f"{API}/{migration}/rejected", params={**wanted, **token})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["rejected"]
            if page["next"] is None:
                return found
            token = {"token": page["next"]}

    def report(self, migration: str) -> dict[str, Any]:
        """Return a migration's report."""
        answer = self.http.get(f"{API}/{migration}/report")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def documents(self, database: str, container: str) -> list[dict[str, Any]]:
        """Return a container's documents in the order of their ids, without what Cosmos DB adds."""
        client = self.cosmos.get_database_client(database).get_container_client(container)
        found = client.query_items("SELECT * FROM c", enable_cross_partition_query=True)
        documents = [
            {name: value for name, value in document.items() if name not in SYSTEM_PROPERTIES}
            for document in found
        ]
        return sorted(documents, key=lambda document: json.dumps([document["id"], document], sort_keys=True))

    def throughput(self, database: str, container: str) -> int | None:
        """Return a container's own RU/s; None if it is not there, or shares its database's.

        The SDK's own call for it ends in an AttributeError for a container without an offer.
        """
        client = self.cosmos.get_database_client(database).get_container_client(container)
        try:
            identity = client.read()["_rid"]
        except CosmosResourceNotFoundError:
            return None
        offers = self.cosmos.client_connection.QueryOffers("SELECT * FROM root r")
        found = (offer["content"] for offer in offers if offer["offerResourceId"] == identity)
        return next((content["offerThroughput"] for content in found), None)

    def fail(self, service: str, *faults: dict[str, Any]) -> None:
        """Make calls of a service fail; no faults clear those that are left."""
        identity = self.cloud.identity
        headers = {
            "cosmos": {"x-localcloud-key": identity.cosmos_key},
            "management": {"Authorization": f"Bearer {identity.management_token}"},
            "databricks": {"Authorization": f"Bearer {identity.databricks_token}"},
        }.get(service, {})
        request = urllib.request.Request(
            f"{identity.url(service)}/_localcloud/faults",
            data=json.dumps(faults).encode(),
            headers={**headers, "Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, context=self.trust) as answer:
            assert answer.status < 300

    def kill(self, *services: str) -> None:
        """End services as ``kill -9`` does."""
        for service in services:
            process = self.cloud.processes[service].process
            process.kill()
            process.wait()

    def restart(self, *services: str) -> None:
        """Kill services, the last one first, and start them again in their order once all are dead."""
        self.kill(*reversed(services))
        for service in services:
            self.cloud.start(service)

    @contextmanager
    def started_with(self, service: str, *arguments: str) -> Iterator[None]:
        """Restart a service with further arguments, and without them at the end."""
        self.cloud.arguments[service] = arguments
        self.restart(service)
        try:
            yield
        finally:
            del self.cloud.arguments[service]
            self.restart(service)

    @contextmanager
    def held_export(self) -> Iterator[None]:
        """Fail each look at an export, so that no table gets past it."""
        self.fail("aws", {"operation": "DescribeExport", "status": 500, "count": 1000})
        try:
            yield
        finally:
            self.fail("aws")

    @contextmanager
    def held_load(self) -> Iterator[None]:
        """Throttle each write of a load of a few items, so that no load run gets past it."""
        self.fail("cosmos", {"scope": "item", "status": 429, "retry_after_ms": 2000, "count": 10_000})
        try:
            yield
        finally:
            self.fail("cosmos")

    @contextmanager
    def held_verification(self) -> Iterator[None]:
        """Throttle each query, so that no verification gets past it."""
        throttled = {"scope": "request", "operation": "POST", "status": 429, "retry_after_ms": 1000}
        self.fail("cosmos", {**throttled, "count": 10_000})
        try:
            yield
        finally:
            self.fail("cosmos")


def hold_against_document(response: httpx.Response) -> None:
    """Hold an answer of the HTTP API against its document; Durable's own calls are none of it."""
    path = response.request.url.path
    if path.startswith("/api/"):
        text = response.read()
        media_type = response.headers.get("content-type", "")
        value = json.loads(text) if "json" in media_type else text
        check_answer(response.request.method, path, response.status_code, media_type, value)


def plan(name: str, *tables: dict[str, Any], **shared: Any) -> dict[str, Any]:
    """Return a plan with the defaults of these tests.

    RU/s of one partition, which are not raised after the creation: an account takes 25 updates in five minutes.
    """
    return {
        "name": name,
        "database": name,
        "region": names.AWS_REGION,
        "throughput": {"load_ru_per_second": 6_000, "after_load_ru_per_second": 1000},
        "tables": list(tables),
        **shared,
    }
