import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.cosmos import CosmosClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient

from d2c.clients.azure.cosmos.data_plane import index_percent
from d2c.clients.azure.cosmos.management import Container, Database, Throughput
from d2c.errors import BusyError, PermanentError
from d2c.mapping.indexing import default_policy, is_late, late_policy, policy_with
from localcloud.common.names import COSMOS_ACCOUNT, RESOURCE_GROUP
from tests.contract.polling import wait_until
from tests.localcloud.contract.management.conftest import KEY, Management, arguments_of

PLACE = (RESOURCE_GROUP, COSMOS_ACCOUNT)
INDEXED = {name: part for name, part in default_policy().items() if name != "automatic"}


@pytest.fixture(scope="module")
def sql(management):
    """Azure's own client, for what the product's does not reach."""
    return CosmosDBManagementClient(**arguments_of(management.settings)).sql_resources


@pytest.fixture(scope="module")
def slow_sql(slow):
    arguments = {**arguments_of(slow.settings), "polling_interval": 1}
    return CosmosDBManagementClient(**arguments).sql_resources


@pytest.fixture(scope="module", autouse=True)
def database(management):
    management.cosmos.create_database("shop")
    return "shop"


def as_found(paths, ttl, **more):
    """Return a container with the policy that it gets without one of its own, as the client reads it."""
    return Container(paths, ttl, indexing_policy={**INDEXED, "compositeIndexes": []}, **more)


def create(management, name, paths=("/a",), ttl=None, ru=400, database="shop"):
    management.cosmos.create_container(
        database, name, partition_key_paths=list(paths), default_ttl=ttl, ru_per_second=ru
    )


def body(name, paths=("/a",), options=None, **more):
    resource = {"id": name, "partitionKey": {"paths": list(paths), "kind": "Hash", "version": 2}, **more}
    return {"properties": {"resource": resource, "options": options or {}}}


@pytest.mark.parametrize(
    ("name", "paths", "ttl"), [("plain", ("/a",), None), ("deep", ("/a", "/b", "/c"), -1)]
)
def test_a_container_is_created_as_asked(management, name, paths, ttl):
    assert management.cosmos.find_container("shop", name) is None
    create(management, name, paths, ttl, ru=600)
    assert management.cosmos.find_container("shop", name) == as_found(paths, ttl)
    assert management.cosmos.find_throughput("shop", name) == Throughput(600, False, 400, False)


def test_a_container_without_indexes_gets_its_policy_and_keeps_all_else(management, around):
    final = policy_with(["a", "ttl"])
    management.cosmos.create_container(
        "shop",
        "late",
        partition_key_paths=["/a"],
        default_ttl=-1,
        ru_per_second=6_000,
        indexing_policy=late_policy(),
    )
    late = management.cosmos.find_container("shop", "late")
    assert is_late(late.indexing_policy)
    account = CosmosClient(around.cosmos.url, KEY)
    data = account.get_database_client("shop").get_container_client("late")
    for number in range(10):
        data.upsert_item({"id": str(number), "a": "x", "s": "x" * 1_900_000, "ttl": 9_999})
    management.cosmos.change_throughput("shop", "late", 400, autoscale=False)
    management.cosmos.change_indexing("shop", "late", final)
    found = management.cosmos.find_container("shop", "late")
    assert found.indexing_policy["includedPaths"] == final["includedPaths"]
    assert (found.default_ttl, is_late(found.indexing_policy)) == (-1, False)
    assert management.cosmos.find_throughput("shop", "late").ru_per_second == 400
    first = index_percent(account, "shop", "late")
    management.cosmos.change_throughput("shop", "late", 6_000, autoscale=False)
    wait_until(lambda: index_percent(account, "shop", "late") == 100)
    assert 0 <= first <= 100


def test_a_database_is_created_once_and_listed(management, sql):
    management.cosmos.create_database("shop")
    sql.begin_create_update_sql_database(
        *PLACE, "shop", {"properties": {"resource": {"id": "shop"}}}
    ).result()
    assert [each["name"] for each in sql.list_sql_databases(*PLACE)].count("shop") == 1
    with pytest.raises(ResourceNotFoundError):
        sql.get_sql_database_throughput(*PLACE, "shop")


def test_containers_are_listed_with_their_keys(management, sql):
    create(management, "listed", ("/one", "/two"))
    found = {each["name"]: each for each in sql.list_sql_containers(*PLACE, "shop")}
    assert found["listed"]["properties"]["resource"]["partitionKey"]["paths"] == ["/one", "/two"]
    assert found["listed"]["id"].endswith("/sqlDatabases/shop/containers/listed")


def test_a_container_of_a_database_that_is_not_there_is_not_found(management):
    assert management.cosmos.find_container("nowhere", "music") is None
    with pytest.raises(PermanentError, match="database nowhere"):
        management.cosmos.create_container(
            "nowhere", "music", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
        )


def test_throughput_goes_up_and_down_again(management):
    create(management, "scaled")
    management.cosmos.change_throughput("shop", "scaled", 6000, autoscale=False)
    assert management.cosmos.find_throughput("shop", "scaled") == Throughput(6000, False, 400, False)
    management.cosmos.change_throughput("shop", "scaled", 400, autoscale=False)
    assert management.cosmos.find_throughput("shop", "scaled") == Throughput(400, False, 400, False)


def test_the_minimum_is_a_hundredth_of_the_highest_ever_and_below_it_is_refused(management):
    create(management, "once-high", ru=50_100)
    management.cosmos.change_throughput("shop", "once-high", 5000, autoscale=False)
    assert management.cosmos.find_throughput("shop", "once-high") == Throughput(
        5000, False, 600, False, 90_000
    )
    with pytest.raises(PermanentError, match="between 600 and 1000000 inclusive in increments of 100"):
        management.cosmos.change_throughput("shop", "once-high", 500, autoscale=False)
    management.cosmos.change_throughput("shop", "once-high", 600, autoscale=False)
    assert management.cosmos.find_throughput("shop", "once-high").ru_per_second == 600


def test_autoscale_has_a_maximum_and_a_minimum_of_a_tenth_and_stays_autoscale(management, sql):
    options = {"autoscaleSettings": {"maxThroughput": 30_000}}
    sql.begin_create_update_sql_container(
        *PLACE, "shop", "breathing", body("breathing", options=options)
    ).result()
    assert management.cosmos.find_throughput("shop", "breathing") == Throughput(
        30_000, True, 3000, False, 50_000
    )
    management.cosmos.change_throughput("shop", "breathing", 4000, autoscale=True)
    assert management.cosmos.find_throughput("shop", "breathing").ru_per_second == 4000
    with pytest.raises(PermanentError, match="invoke migration API"):
        management.cosmos.change_throughput("shop", "breathing", 4000, autoscale=False)


def test_containers_of_a_database_share_its_throughput_or_have_their_own(management, sql):
    management.cosmos.create_database("common", {"ru_per_second": 4000, "autoscale": True})
    management.cosmos.create_database("common", {"ru_per_second": 4000, "autoscale": True})
    assert management.cosmos.find_database("common") == Database(Throughput(4000, True, 1000, False))
    scale = {"properties": {"resource": {"autoscaleSettings": {"maxThroughput": 5000}}}}
    with pytest.raises(HttpResponseError, match="no collections using the shared database offer"):
        sql.begin_update_sql_database_throughput(*PLACE, "common", scale).result()
    for number in range(25):
        create(management, f"c{number}", ru=None, database="common")
    assert management.cosmos.find_throughput("common", "c0") is None
    with pytest.raises(
        PermanentError, match="as many containers that share its throughput as it can"
    ) as full:
        create(management, "c25", ru=None, database="common")
    assert "exceeded 25" in full.value.detail
    create(management, "own", ru=700, database="common")
    assert management.cosmos.find_throughput("common", "own") == Throughput(700, False, 400, False)
    sql.begin_update_sql_database_throughput(*PLACE, "common", scale).result()
    assert management.cosmos.find_database("common").throughput.ru_per_second == 5000


def test_a_database_gets_throughput_when_it_is_created_or_never(management, sql):
    management.cosmos.create_database("without")
    assert management.cosmos.find_database("without") == Database(None)
    wanted = {"properties": {"resource": {"id": "without"}, "options": {"throughput": 400}}}
    with pytest.raises(
        HttpResponseError, match="not supported for resources created without dedicated throughput"
    ):
        sql.begin_create_update_sql_database(*PLACE, "without", wanted).result()
    assert management.cosmos.find_database("without") == Database(None)
    assert management.cosmos.find_database("nowhere") is None


@pytest.mark.parametrize("ru", [300, 450, 1_000_100])
def test_impossible_throughput_is_refused_and_nothing_is_created(management, ru):
    with pytest.raises(PermanentError, match="valid throughput values between 400 and 1000000"):
        create(management, "impossible", ru=ru)
    assert management.cosmos.find_container("shop", "impossible") is None


def test_a_partition_key_cannot_be_changed_but_time_to_live_can(management, sql):
    create(management, "fixed")
    with pytest.raises(HttpResponseError, match="partition key"):
        sql.begin_create_update_sql_container(*PLACE, "shop", "fixed", body("fixed", ["/other"])).result()
    assert management.cosmos.find_container("shop", "fixed") == as_found(("/a",), None)
    sql.begin_create_update_sql_container(*PLACE, "shop", "fixed", body("fixed", defaultTtl=-1)).result()
    assert management.cosmos.find_container("shop", "fixed") == as_found(("/a",), -1)


def test_an_existing_container_shows_the_version_of_its_key_and_its_unique_keys(management, sql):
    key = {"paths": ["/a"], "kind": "Hash", "version": 1}
    unique = {"uniqueKeys": [{"paths": ["/mail"]}]}
    definition = body("old", partitionKey=key, uniqueKeyPolicy=unique)
    sql.begin_create_update_sql_container(*PLACE, "shop", "old", definition).result()
    assert management.cosmos.find_container("shop", "old") == as_found(
        ("/a",), None, hashes_whole_keys=False, unique_keys=(("/mail",),)
    )


def test_operations_that_may_not_be_polled_are_done_all_the_same(management):
    management.set_faults(
        {"operation": "GetOperation", "status": 403, "code": "AuthorizationFailed", "count": 100}
    )
    management.cosmos.create_database("unpolled")
    management.cosmos.create_container(
        "unpolled", "c", partition_key_paths=["/a"], default_ttl=None, ru_per_second=500
    )
    management.cosmos.change_throughput("unpolled", "c", 900, autoscale=False)
    assert management.cosmos.find_throughput("unpolled", "c").ru_per_second == 900


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (body("another"), "is not strict, which the path names"),
        ({"properties": {}}, "lacks the object resource"),
        (body("strict") | {"colour": "red"}, "unknown fields: colour"),
        (body("strict", uniqueKeyPolicy={"uniqueKeys": [{"paths": ["x"]}]}), "unique key policy"),
        (body("strict", defaultTtl=0), "defaultTtl"),
        (body("strict", options={"throughput": 400, "autoscaleSettings": {}}), "Either throughput or"),
    ],
)
def test_a_container_that_is_wrongly_described_is_refused_with_what_is_wrong(sql, wrong, words):
    with pytest.raises(HttpResponseError, match=words):
        sql.begin_create_update_sql_container(*PLACE, "shop", "strict", wrong).result()


def test_throughput_beyond_the_partitions_is_pending_for_a_while(slow):
    slow.cosmos.create_container(
        "shop", "growing", partition_key_paths=["/a"], default_ttl=None, ru_per_second=1000
    )
    slow.cosmos.change_throughput("shop", "growing", 10_000, autoscale=False)
    assert slow.cosmos.find_throughput("shop", "growing") == Throughput(10_000, False, 400, False)
    slow.cosmos.change_throughput("shop", "growing", 80_000, autoscale=False)
    assert slow.cosmos.find_throughput("shop", "growing") == Throughput(80_000, False, 400, True)
    wait_until(lambda: not slow.cosmos.find_throughput("shop", "growing").pending)
    assert slow.cosmos.find_throughput("shop", "growing") == Throughput(80_000, False, 800, False, 80_000)


def test_an_operation_that_takes_its_time_is_followed_to_its_end(slow_sql, slow):
    poller = slow_sql.begin_create_update_sql_container(*PLACE, "shop", "patient", body("patient"))
    assert not poller.done()
    assert poller.result()["name"] == "patient"
    assert slow.cosmos.find_container("shop", "patient") == as_found(("/a",), None)


def test_a_refusal_that_only_the_operation_tells_reaches_the_caller(slow):
    slow.cosmos.create_container(
        "shop", "refusing", partition_key_paths=["/a"], default_ttl=None, ru_per_second=1000
    )
    with pytest.raises(PermanentError, match="between 400 and 1000000"):
        slow.cosmos.change_throughput("shop", "refusing", 300, autoscale=False)


def test_an_account_takes_so_many_updates_of_throughput_in_five_minutes(tmp_path, around):
    strict = Management(tmp_path, around, "--throughput-updates=2")
    try:
        strict.cosmos.create_database("paced")
        create(strict, "c", database="paced")
        for ru in (500, 600):
            strict.cosmos.change_throughput("paced", "c", ru, autoscale=False)
        with pytest.raises(BusyError, match="2 times within 5 minutes"):
            strict.cosmos.change_throughput("paced", "c", 700, autoscale=False)
        create(strict, "created all the same", database="paced")
        assert strict.cosmos.find_throughput("paced", "c").ru_per_second == 600
    finally:
        strict.stop()
