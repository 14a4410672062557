"""Azure Monitor's counts of a container, as the app reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.cosmos import CosmosClient

from localcloud.arm.rights import ACCOUNT
from tests.localcloud.contract.management.conftest import KEY, Management

FILTER = "DatabaseName eq 'd' and CollectionName eq 'c'"


def now():
    return datetime.now(UTC).replace(second=0, microsecond=0)


def span():
    return now() - timedelta(minutes=2), now() + timedelta(minutes=2)


@pytest.fixture(scope="module")
def container(management, around):
    name = "o'clock"
    management.cosmos.create_database("counted")
    management.cosmos.create_container(
        "counted", name, partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
    )
    client = CosmosClient(around.cosmos.url, KEY).get_database_client("counted").get_container_client(name)
    for number in range(3):
        client.upsert_item({"id": str(number), "a": "x"})
    list(client.read_all_items())
    return name


def test_writes_are_counted_and_reads_are_not(management, container):
    counts = management.metrics.written_ru("counted", container, *span())
    assert sum(counts.values()) == pytest.approx(30)
    assert all(minute.second == 0 and minute.tzinfo for minute in counts)


def test_the_busiest_second_is_told_in_percent(management, container):
    percent = management.metrics.highest_use("counted", container, *span())
    assert 2.5 <= percent <= 100


def test_a_container_without_calls_has_no_counts(management):
    metrics = management.metrics
    assert metrics.written_ru("counted", "nothing", *span()) == {}
    assert metrics.highest_use("counted", "nothing", *span()) is None


def test_a_minute_shows_some_time_after_it(tmp_path, around, container):
    late = Management(tmp_path, around, "--metrics-lag-seconds=600")
    try:
        assert late.metrics.written_ru("counted", container, *span()) == {}
    finally:
        late.stop()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metricnames": "Nothing"}, "Failed to find metric configuration"),
        ({"aggregation": "average"}, "Only total of TotalRequestUnits"),
        ({"interval": "PT1H"}, "Only total"),
        ({"timespan": "yesterday"}, "Invalid time range"),
        ({"timespan": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}, "not between a minute and a day"),
        ({"$filter": "DatabaseName eq 'd'"}, "for one container"),
        ({"$filter": f"{FILTER} or x"}, "is invalid"),
        ({"$filter": f"{FILTER} and OperationType eq 'Batch'"}, "all or each"),
    ],
)
def test_what_is_wrongly_asked_is_refused(management, changes, words):
    parameters = {
        "api-version": "2024-02-01",
        "metricnames": "TotalRequestUnits",
        "aggregation": "total",
        "interval": "PT1M",
        "timespan": "2026-01-01T00:00:00Z/2026-01-01T00:05:00Z",
        "$filter": FILTER,
    }
    answer = management.http.get(
        f"{ACCOUNT}/providers/microsoft.insights/metrics", params={**parameters, **changes}
    )
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (400, True)
