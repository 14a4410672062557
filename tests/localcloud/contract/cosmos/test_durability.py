"""What the service keeps when it ends, or is made to."""

import itertools
import threading

from azure.cosmos import PartitionKey
from azure.cosmos.exceptions import CosmosResourceNotFoundError

from tests.contract.polling import HANG_SECONDS


def read_feed(container, **options):
    pages = container.query_items_change_feed(**options).by_page()
    changes = [one["id"] for page in pages for one in page]
    return changes, pages.continuation_token


def test_a_restart_keeps_everything(own_account):
    database = own_account.client().create_database("d")
    container = database.create_container("c", PartitionKey("/pk"), default_ttl=600, offer_throughput=900)
    before = [container.upsert_item({"id": str(n), "pk": n}) for n in range(5)]
    properties = container.read()
    shared = own_account.client().create_database("shared", offer_throughput=500)
    shared.create_container("c", PartitionKey("/pk")).upsert_item({"id": "1", "pk": "a"})
    own_account.restart()
    again = own_account.client().get_database_client("d").get_container_client("c")
    assert again.read() == properties
    assert again.get_throughput().offer_throughput == 900
    assert sorted(again.read_all_items(), key=lambda one: one["id"]) == before
    shared = own_account.client().get_database_client("shared")
    assert shared.get_throughput().offer_throughput == 500
    assert shared.get_container_client("c").read_item("1", "a")["pk"] == "a"


def test_a_kill_keeps_every_write_that_was_answered(own_account):
    container = own_account.container()
    answered = []
    enough, over = threading.Event(), threading.Event()

    def write():
        for n in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            try:
                container.upsert_item({"id": str(n), "pk": "a"})
            except Exception:
                return
            answered.append(n)
            if n >= 100:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(HANG_SECONDS)
    own_account.kill_and_restart()
    over.set()  # the SDK may have asked again until the service was back
    writer.join(HANG_SECONDS)
    assert not writer.is_alive()
    survived = {int(one["id"]) for one in container.read_all_items()}
    assert set(answered) <= survived


def test_a_reader_of_the_change_feed_misses_nothing_after_deletes_and_a_restart(own_account):
    container = own_account.container()
    for name in ("1", "2", "3"):
        container.upsert_item({"id": name, "pk": "a"})
    token = read_feed(container, start_time="Beginning")[1]
    rid = container.read_item("3", "a")["_rid"]
    container.delete_item("3", "a")
    container.delete_item("2", "a")
    own_account.restart()
    new = container.upsert_item({"id": "4", "pk": "a"})
    assert read_feed(container, continuation=token)[0] == ["4"]
    assert new["_rid"] > rid


def test_a_container_that_was_deleted_stays_so(own_account):
    container = own_account.container()
    name = container.container_link.split("/")[1]
    own_account.client().get_database_client(name).delete_container("c")
    own_account.restart()
    try:
        container.read()
    except CosmosResourceNotFoundError:
        return
    raise AssertionError("the container is back")
