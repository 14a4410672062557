import pytest
from azure.mgmt.cosmosdb import CosmosDBManagementClient

from d2c.clients.azure.cosmos import management as cosmos_management
from d2c.clients.azure.cosmos.management import Container, CosmosManagement, Database, Throughput
from d2c.errors import BusyError, PermanentError, TransientError
from d2c.mapping.indexing import write_factor
from tests.unit.clients.errors import error_of
from tests.unit.clients.http import Answer, StubService
from tests.unit.clients.management import management_client, refusal
from tests.unit.clients.outside import SIGNATURE

ACCOUNT = "/subscriptions/x/resourceGroups/group/providers/Microsoft.DocumentDB/databaseAccounts/account"
MISSING = Answer(404, refusal("NotFound"))
ACCEPTED = Answer(
    202, {"status": "Enqueued"}, {"Azure-AsyncOperation": "https://127.0.0.1:9/operation", "Retry-After": "0"}
)


def management(*answers):
    service = StubService(*answers)
    client = management_client(CosmosDBManagementClient, service)
    return CosmosManagement(client, "group", "account"), service


def resource(**fields):
    return Answer(200, {"id": "i", "name": "n", "properties": {"resource": fields}})


class TestCreateDatabase:
    def test_a_database_that_is_there_is_left_as_it_is(self):
        here, service = management(resource(id="shop"))
        here.create_database("shop")
        assert [call.method for call in service.calls] == ["GET"]

    def test_a_missing_one_is_created_without_throughput_of_its_own(self):
        here, service = management(MISSING, resource(id="shop"))
        here.create_database("shop")
        call = service.calls[1]
        assert (call.method, call.path) == ("PUT", f"{ACCOUNT}/sqlDatabases/shop")
        assert call.json["properties"] == {"resource": {"id": "shop"}, "options": {}}

    @pytest.mark.parametrize(
        ("autoscale", "options"),
        [(False, {"throughput": 4000}), (True, {"autoscaleSettings": {"maxThroughput": 4000}})],
    )
    def test_it_gets_the_throughput_that_its_containers_share(self, autoscale, options):
        here, service = management(MISSING, resource(id="shop"))
        here.create_database("shop", {"ru_per_second": 4000, "autoscale": autoscale})
        assert service.calls[1].json["properties"]["options"] == options


class TestFindDatabase:
    def test_it_is_found_with_what_its_containers_share(self):
        here, service = management(resource(throughput=900, minimumThroughput="600"))
        assert here.find_database("shop") == Database(Throughput(900, False, 600, False))
        assert service.calls[0].path == f"{ACCOUNT}/sqlDatabases/shop/throughputSettings/default"

    def test_one_that_is_not_there_is_none_and_one_without_any_says_so(self):
        assert management(MISSING, MISSING)[0].find_database("shop") is None
        assert management(MISSING, resource(id="shop"))[0].find_database("shop") == Database(None)

    def test_a_serverless_account_has_none(self):
        text = "Reading or replacing offers is not supported for serverless accounts."
        here, _ = management(Answer(400, refusal("BadRequest", text)), resource(id="shop"))
        assert here.find_database("shop") == Database(None, is_serverless=True)


class TestFindContainer:
    @pytest.mark.parametrize(
        ("fields", "container"),
        [
            ({"defaultTtl": -1}, Container(("/a", "/b"), -1)),
            ({"defaultTtl": 60}, Container(("/a", "/b"), 60)),
            ({}, Container(("/a", "/b"), None)),
            (
                {"uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["/m"]}, {"paths": ["/x", "/y"]}]}},
                Container(("/a", "/b"), None, unique_keys=(("/m",), ("/x", "/y"))),
            ),
            ({"uniqueKeyPolicy": {"uniqueKeys": []}}, Container(("/a", "/b"), None)),
        ],
    )
    def test_a_container_has_key_paths_and_perhaps_time_to_live_and_unique_keys(self, fields, container):
        here, _ = management(resource(id="music", partitionKey={"paths": ["/a", "/b"]}, **fields))
        assert here.find_container("shop", "music") == container

    @pytest.mark.parametrize(
        ("version", "is_whole"),
        [(2, True), ("2", True), ("V2", True), (1, False), ("V1", False), (None, False)],
    )
    def test_only_the_second_version_of_a_key_hashes_all_of_it(self, version, is_whole):
        here, _ = management(resource(id="music", partitionKey={"paths": ["/a"], "version": version}))
        assert here.find_container("shop", "music").hashes_whole_keys is is_whole

    def test_one_that_is_not_there_is_none(self):
        here, _ = management(MISSING)
        assert here.find_container("shop", "music") is None

    def test_it_has_an_indexing_policy_which_is_the_service_s_if_it_names_none(self):
        key = {"paths": ["/a"], "version": 2}
        policy = {
            "indexingMode": "Consistent",
            "includedPaths": [{"path": "/a/?", "indexes": [{"kind": "Range"}]}],
            "compositeIndexes": [[{"path": "/a"}, {"path": "/b", "order": "descending"}]],
        }
        here, _ = management(
            resource(id="music", partitionKey=key, indexingPolicy=policy), resource(partitionKey=key)
        )
        assert here.find_container("shop", "music").indexing_policy == {
            "indexingMode": "consistent",
            "includedPaths": [{"path": "/a/?"}],
            "excludedPaths": [],
            "compositeIndexes": [
                [{"path": "/a", "order": "ascending"}, {"path": "/b", "order": "descending"}]
            ],
        }
        assert write_factor(here.find_container("shop", "music").indexing_policy) == 2

    def test_a_policy_of_another_form_is_no_answer(self):
        odd = resource(partitionKey={"paths": ["/a"]}, indexingPolicy={"includedPaths": [{"path": 7}]})
        here, _ = management(odd)
        assert type(error_of(lambda: here.find_container("shop", "music"))) is TransientError


class TestChangeIndexing:
    def test_the_policy_is_replaced_and_all_else_is_as_it_was(self):
        own = {"id": "music", "defaultTtl": -1, "uniqueKeyPolicy": {"uniqueKeys": [{"paths": ["/m"]}]}}
        key = {"paths": ["/a"], "kind": "Hash", "version": 2}
        found = resource(**own, partitionKey=key, indexingPolicy={}, _rid="r", _ts=1, _etag="e")
        here, service = management(found, found)
        here.change_indexing("shop", "music", {"includedPaths": [{"path": "/*"}]})
        call = service.calls[1]
        assert (call.method, call.path) == ("PUT", f"{ACCOUNT}/sqlDatabases/shop/containers/music")
        policy = {"includedPaths": [{"path": "/*"}]}
        assert call.json["properties"] == {"resource": {**own, "partitionKey": key, "indexingPolicy": policy}}


class TestCreateContainer:
    def create(self, paths, default_ttl=None):
        here, service = management(resource(id="music"))
        here.create_container(
            "shop", "music", partition_key_paths=paths, default_ttl=default_ttl, ru_per_second=4000
        )
        (call,) = service.calls
        assert (call.method, call.path) == ("PUT", f"{ACCOUNT}/sqlDatabases/shop/containers/music")
        return call.json["properties"]

    @pytest.mark.parametrize(("paths", "kind"), [(["/a"], "Hash"), (["/a", "/b"], "MultiHash")])
    def test_it_has_throughput_of_its_own_and_a_key_that_hashes_whole(self, paths, kind):
        properties = self.create(paths)
        assert properties["options"] == {"throughput": 4000}
        assert properties["resource"] == {
            "id": "music",
            "partitionKey": {"paths": paths, "kind": kind, "version": 2},
        }

    def test_time_to_live_is_on_where_documents_carry_one(self):
        assert self.create(["/a"], default_ttl=-1)["resource"]["defaultTtl"] == -1


class TestOperationThatMayNotBePolled:
    """The operation is accepted, and its state is nobody's to read (Azure/azure-cli#17418)."""

    ACCEPTED = Answer(
        202,
        b"",
        {"Azure-AsyncOperation": "https://127.0.0.1:9/operations/1", "Location": "http://127.0.0.1:9/1"},
    )
    REJECTED = Answer(403, refusal("AuthorizationFailed", "no operationsStatus/read"))
    MUSIC = resource(id="music", partitionKey={"paths": ["/a"]})

    def create_container(self, *after):
        here, _ = management(self.ACCEPTED, self.REJECTED, *after)
        here.create_container(
            "shop", "music", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
        )

    def change_throughput(self, found):
        here, _ = management(self.ACCEPTED, self.REJECTED, found)
        here.change_throughput("shop", "music", 4000, autoscale=False)

    def test_what_shows_its_result_is_done(self):
        self.create_container(self.MUSIC)
        here, _ = management(MISSING, self.ACCEPTED, self.REJECTED, resource(id="shop"))
        here.create_database("shop")

    @pytest.mark.parametrize(
        "found", [resource(throughput=4000), resource(throughput=400, offerReplacePending="true")]
    )
    def test_throughput_is_changed_if_the_container_has_it_or_will(self, found):
        self.change_throughput(found)

    def test_what_does_not_show_its_result_yet_is_tried_again(self):
        for call in (
            lambda: management(MISSING, self.ACCEPTED, self.REJECTED, MISSING)[0].create_database("shop"),
            lambda: self.create_container(MISSING),
            lambda: self.change_throughput(resource(throughput=400)),
        ):
            error = error_of(call)
            assert type(error) is TransientError
            assert "rejects the app's polls" in error.detail


class TestCreationThatTakesLong:
    """The operation is under way for longer than the app waits at a time."""

    UNDER_WAY = Answer(
        202, b"", {"Azure-AsyncOperation": "https://127.0.0.1:9/operations/1", "Retry-After": "600"}
    )
    IN_PROGRESS = Answer(409, refusal("Conflict", "There is another user operation in progress."))

    @pytest.fixture(autouse=True)
    def _short_wait(self, monkeypatch):
        monkeypatch.setattr(cosmos_management, "LONGEST_WAIT_SECONDS", 0.01)

    def create_container(self, *answers):
        management(*answers)[0].create_container(
            "shop", "music", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
        )

    @pytest.mark.parametrize("under_way", [UNDER_WAY, IN_PROGRESS])
    def test_it_is_looked_for_again_later_as_is_one_that_an_earlier_try_began(self, under_way):
        for call, thing in (
            (lambda: management(MISSING, under_way)[0].create_database("shop"), "database shop"),
            (lambda: self.create_container(under_way), "container shop/music"),
        ):
            error = error_of(call)
            assert type(error) is TransientError
            assert thing in error.detail
            assert error.next_step.startswith("Retrying")

    def test_one_that_ends_in_time_is_waited_for(self, monkeypatch):
        monkeypatch.setattr(cosmos_management, "LONGEST_WAIT_SECONDS", 60)
        soon = Answer(202, b"", {**self.UNDER_WAY.headers, "Retry-After": "0"})
        self.create_container(soon, Answer(200, {"status": "Succeeded"}), resource(id="music"))


class TestFindThroughput:
    @pytest.mark.parametrize(
        ("fields", "throughput"),
        [
            ({"throughput": 400}, Throughput(400, False, 400, False)),
            ({"throughput": 900, "minimumThroughput": "600"}, Throughput(900, False, 600, False)),
            ({"throughput": 400, "offerReplacePending": "true"}, Throughput(400, False, 400, True)),
            ({"throughput": 400, "offerReplacePending": "False"}, Throughput(400, False, 400, False)),
            (
                {"throughput": 400, "autoscaleSettings": {"maxThroughput": 4000}},
                Throughput(4000, True, 400, False),
            ),
        ],
    )
    def test_a_container_has_manual_throughput_or_an_autoscale_maximum(self, fields, throughput):
        here, _ = management(resource(**fields))
        assert here.find_throughput("shop", "music") == throughput

    @pytest.mark.parametrize(
        "answer",
        [
            MISSING,
            Answer(
                400,
                refusal(
                    "BadRequest", "Reading or replacing offers is not supported for serverless accounts."
                ),
            ),
        ],
    )
    def test_a_container_of_a_shared_database_or_a_serverless_account_has_none(self, answer):
        here, _ = management(answer)
        assert here.find_throughput("shop", "music") is None

    def test_another_refusal_is_not_taken_for_either(self):
        here, _ = management(Answer(400, refusal("BadRequest", "The name is not valid.")))
        assert "The name is not valid" in error_of(lambda: here.find_throughput("shop", "music")).detail


class TestServerlessAccount:
    REFUSED = Answer(
        400, refusal("BadRequest", "Setting offer throughput is not supported for serverless accounts.")
    )

    def create(self, *answers):
        here, service = management(*answers)
        arguments = {"partition_key_paths": ["/a"], "default_ttl": None, "ru_per_second": 4000}
        return lambda: here.create_container("shop", "music", **arguments), service

    def test_a_container_is_created_without_throughput(self):
        create, service = self.create(self.REFUSED, resource(id="music"))
        create()
        first, second = (call.json["properties"] for call in service.calls)
        assert (first["options"], second["options"]) == ({"throughput": 4000}, {})
        assert first["resource"] == second["resource"]

    def test_so_is_a_database(self):
        here, service = management(MISSING, self.REFUSED, resource(id="shop"))
        here.create_database("shop", {"ru_per_second": 400, "autoscale": False})
        assert [call.json["properties"]["options"] for call in service.calls[1:]] == [{"throughput": 400}, {}]

    def test_another_refusal_is_not_taken_for_it(self):
        create, service = self.create(Answer(400, refusal("BadRequest", "The key is not valid.")))
        assert "The key is not valid" in error_of(create).detail
        assert len(service.calls) == 1


class TestChangeThroughput:
    OPERATION = "https://127.0.0.1:9/operations/1"

    def change(self, *of_operation, autoscale=False):
        accepted = Answer(202, b"", {"Azure-AsyncOperation": self.OPERATION, "Location": self.OPERATION})
        here, service = management(accepted, *of_operation, resource(throughput=4000))
        here.change_throughput("shop", "music", 4000, autoscale=autoscale)
        return service.calls

    @pytest.mark.parametrize(
        ("autoscale", "body"),
        [(False, {"throughput": 4000}), (True, {"autoscaleSettings": {"maxThroughput": 4000}})],
    )
    def test_it_is_asked_for_in_its_own_kind_until_the_service_has_taken_it(self, autoscale, body):
        call, look, *_ = self.change(Answer(200, {"status": "Succeeded"}), autoscale=autoscale)
        path = f"{ACCOUNT}/sqlDatabases/shop/containers/music/throughputSettings/default"
        assert (call.method, call.path) == ("PUT", path)
        assert call.json["properties"]["resource"] == body
        assert (look.method, look.url) == ("GET", self.OPERATION)

    def test_an_account_that_has_had_its_updates_is_asked_again_later_and_not_slept_for(self):
        here, service = management(Answer(429, refusal("TooManyRequests"), {"Retry-After": "240"}))
        error = error_of(lambda: here.change_throughput("shop", "music", 4000, autoscale=False))
        assert type(error) is BusyError
        assert "25 updates in 5 minutes" in error.next_step
        assert len(service.calls) == 1

    def test_what_the_service_refuses_only_later_is_told_too(self):
        refused = {"status": "Failed", "error": {"code": "BadRequest", "message": "below the minimum"}}
        error = error_of(lambda: self.change(Answer(200, refused)))
        assert type(error) is PermanentError
        assert "Cosmos DB container shop/music" in error.detail
        assert "below the minimum" in error.detail


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(403, refusal("AuthorizationFailed")), PermanentError, "docs/install/permissions.md"),
        (Answer(429, refusal("TooManyRequests")), TransientError, "Retrying"),
        (Answer(503, b"down"), TransientError, "Retrying"),
        (
            Answer(412, refusal("PreconditionFailed", "There is another user operation in progress.")),
            TransientError,
            "Retrying",
        ),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda here: here.find_container("shop", "music"),
        lambda here: here.find_throughput("shop", "music"),
        lambda here: here.change_throughput("shop", "music", 400, autoscale=False),
        lambda here: here.create_container(
            "shop", "music", partition_key_paths=["/a"], default_ttl=None, ru_per_second=400
        ),
    ],
)
def test_what_the_service_refuses_is_told_with_container_account_and_what_to_do(answer, kind, words, call):
    here, _ = management(answer)
    error = error_of(lambda: call(here))
    assert isinstance(error, kind)
    assert "Cosmos DB container shop/music in account account" in error.detail
    assert words in error.next_step
    assert SIGNATURE not in str(error)


def test_a_database_that_cannot_be_created_is_named():
    here, _ = management(MISSING, Answer(403, refusal("AuthorizationFailed")))
    assert "database shop in account account" in error_of(lambda: here.create_database("shop")).detail
