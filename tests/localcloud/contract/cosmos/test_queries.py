"""Queries and the change feed by the SDK."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.polling import wait_until
from tests.localcloud.contract.cosmos_account import PLENTY_RU

TOO_MANY = 429


@pytest.fixture(scope="module", params=[PLENTY_RU, 3 * PLENTY_RU], ids=["one range", "three ranges"])
def numbers(account, request):
    """200 documents: n from 0 to 199, ten keys."""
    container = account.container(ru=request.param)
    for n in range(200):
        document = {
            "id": f"i{n}",
            "pk": f"p{n % 10}",
            "n": n,
            "s": f"s{n % 7}",
            "o": {"k": n % 3},
            "l": [n, n + 1],
        }
        container.upsert_item(document if n % 2 else {**document, "even": True})
    return container


def ask(container, text, parameters=None, key=None, **options):
    where = {"enable_cross_partition_query": True} if key is None else {"partition_key": key}
    return list(container.query_items(text, parameters=parameters, **where, **options))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SELECT VALUE COUNT(1) FROM c", [200]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.n < 5", [5]),
        ("SELECT VALUE SUM(c.n) FROM c", [19900]),
        ("SELECT VALUE MIN(c.n) FROM c", [0]),
        ("SELECT VALUE MAX(c.n) FROM c", [199]),
        ("SELECT VALUE AVG(c.n) FROM c", [99.5]),
        ("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 5 LIMIT 3", [5, 6, 7]),
        ("SELECT TOP 3 VALUE c.n FROM c ORDER BY c.n DESC", [199, 198, 197]),
        ("SELECT VALUE c.n FROM c WHERE c.n IN (3, 1) ORDER BY c.n", [1, 3]),
        ("SELECT VALUE c.n FROM c WHERE c.n BETWEEN 7 AND 9 ORDER BY c.n", [7, 8, 9]),
        ("SELECT VALUE c.n FROM c WHERE c['n'] + 1 = 5", [4]),
        ("SELECT VALUE c.n FROM c WHERE STARTSWITH(c.id, 'i19') AND c.o.k = 0 ORDER BY c.n", [192, 195, 198]),
        ("SELECT VALUE c.n FROM c WHERE ARRAY_CONTAINS(c.l, 7) ORDER BY c.n", [6, 7]),
        ("SELECT VALUE COUNT(1) FROM c WHERE IS_DEFINED(c.even)", [100]),
        ("SELECT VALUE COUNT(1) FROM c WHERE NOT IS_DEFINED(c.even)", [100]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.id = 5", [0]),
        # What is undefined is neither true nor false.
        ("SELECT VALUE COUNT(1) FROM c WHERE NOT (c.even = false)", [100]),
        ("SELECT VALUE COUNT(1) FROM c WHERE NOT (c.even = true AND c.n >= 0)", [0]),
        ("SELECT VALUE COUNT(1) FROM c WHERE c.even NOT IN (false)", [100]),
        ("SELECT c.n, c.s AS t FROM c WHERE c.n = 8", [{"n": 8, "t": "s1"}]),
        ("SELECT c.n, c.missing FROM c WHERE c.n = 8", [{"n": 8}]),
        ("SELECT VALUE r.n FROM root r WHERE r.n = 8", [8]),
    ],
)
def test_a_query_returns_what_it_asks_for(numbers, text, answer):
    assert ask(numbers, text) == answer


def test_a_query_takes_parameters(numbers):
    parameters = [{"name": "@from", "value": 100}, {"name": "@s", "value": "s3"}]
    assert len(ask(numbers, "SELECT * FROM c WHERE c.n >= @from AND c.s = @s", parameters)) == 15


def test_a_query_within_a_key_sees_that_key_alone(numbers):
    assert {one["pk"] for one in ask(numbers, "SELECT * FROM c", key="p1")} == {"p1"}
    assert ask(numbers, "SELECT VALUE COUNT(1) FROM c", key="p1") == [20]
    assert ask(numbers, "SELECT VALUE COUNT(1) FROM c", key="none") == [0]


def test_distinct_values_come_once(numbers):
    assert sorted(ask(numbers, "SELECT DISTINCT VALUE c.s FROM c")) == [f"s{n}" for n in range(7)]


@pytest.mark.parametrize(
    "text",
    [
        "SELEC * FROM c",
        "SELECT * FROM c WHERE",
        "SELECT * FROM c WHERE c.n = ",
        "SELECT * FROM c WHERE c.n = 1 AND",
        "SELECT * FROM c WHERE other.n = 1",
        "SELECT * FROM c WHERE SOUNDEX(c.s) = 'x'",
        "SELECT * FROM c WHERE STARTSWITH(c.s) = true",
        "SELECT * FROM c WHERE COUNT(1) > 3",
        "SELECT c.n, COUNT(1) AS many FROM c GROUP BY c.s",
        "SELECT c.s, COUNT(1) FROM c",
        "SELECT * FROM c JOIN a IN c.l",
        "SELECT VALUE a FROM a IN c.l",
        "SELECT * FROM (SELECT * FROM c)",
        "SELECT TOP 1.5 * FROM c",
        "SELECT * FROM c WHERE c.n = 1; DROP",
        "SELECT * FROM c WHERE c.n LIKE '1%'",
        "",
    ],
)
def test_a_query_that_is_not_supported_is_refused_and_never_returns_everything(numbers, text):
    with pytest.raises((CosmosHttpResponseError, ValueError)) as caught:
        ask(numbers, text)
    assert getattr(caught.value, "status_code", 400) == 400


def test_pages_continue_where_the_last_one_ended(numbers):
    pages = numbers.query_items(
        "SELECT * FROM c", enable_cross_partition_query=True, max_item_count=30
    ).by_page()
    first = [one["id"] for one in next(pages)]
    token = pages.continuation_token
    again = numbers.query_items("SELECT * FROM c", enable_cross_partition_query=True, max_item_count=30)
    rest = [one["id"] for page in again.by_page(token) for one in page]
    assert (len(first), len(rest), len({*first, *rest})) == (30, 170, 200)


def test_pages_of_a_sorted_query_continue_too(numbers):
    found = ask(numbers, "SELECT VALUE c.n FROM c ORDER BY c.n DESC", max_item_count=33)
    assert found == list(range(199, -1, -1))


def test_all_documents_are_listed_and_many_are_read_at_once(numbers):
    assert len(list(numbers.read_all_items(max_item_count=33))) == 200
    assert len(numbers.read_items([(f"i{n}", f"p{n % 10}") for n in range(50)])) == 50


@pytest.mark.parametrize("text", ["SELECT * FROM c", "SELECT * FROM c ORDER BY c.id"])
def test_a_page_holds_at_most_four_megabytes(account, call, text):
    # Without indexes the writes leave enough of a second's throughput for the pages.
    container = account.container(indexing_policy={"indexingMode": "none", "automatic": False})
    for n in range(5):
        container.upsert_item({"id": str(n), "pk": "a", "s": "x" * 1_500_000})
    sizes, token = [], None
    while not sizes or token:
        headers = {"x_ms_continuation": token} if token else {}
        answer = call(
            "POST",
            f"{container.container_link}/docs",
            {"query": text},
            content_type="application/query+json",
            x_ms_max_item_count="-1",
            **headers,
        )
        sizes.append(len(answer.content))
        token = answer.headers.get("x-ms-continuation")
    assert len(sizes) == 3
    assert max(sizes) <= 4 * 2**20
    assert len(ask(container, text)) == 5


def test_a_prefix_of_a_hierarchical_key_finds_all_below_it(account):
    container = account.container("/a", "/b", "/c")
    for a in ("1", "2", 1):
        for b in ("u", None):
            for c in range(3):
                container.upsert_item({"id": "x", "a": a, "b": b, "c": c})
    assert len(ask(container, "SELECT * FROM c", key=["1"])) == 6
    assert len(ask(container, "SELECT * FROM c", key=["1", "u"])) == 3
    assert len(ask(container, "SELECT * FROM c", key=["1", "u", 2])) == 1
    assert {one["a"] for one in ask(container, "SELECT * FROM c", key=[1])} == {1}


def test_the_feed_ranges_cover_the_whole_container_once(numbers):
    found = [
        list(numbers.query_items("SELECT VALUE c.n FROM c", feed_range=each))
        for each in numbers.read_feed_ranges()
    ]
    assert sorted(n for part in found for n in part) == list(range(200))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT VALUE COUNT(1) FROM c",
        "SELECT * FROM c ORDER BY c.n",
        "SELECT TOP 3 * FROM c",
        "SELECT DISTINCT c.s FROM c",
    ],
)
def test_only_a_client_can_put_together_what_several_ranges_answer(account, call, query):
    container = account.container(ru=3 * PLENTY_RU)
    answer = call(
        "POST",
        f"{container.container_link}/docs",
        {"query": query},
        content_type="application/query+json",
    )
    assert (answer.status_code, answer.headers["x-ms-substatus"]) == (400, "1004")


@pytest.mark.parametrize("headers", [{"x_ms_max_item_count": "many"}, {"x_ms_continuation": "{"}])
def test_malformed_headers_of_a_query_are_refused(numbers, call, headers):
    assert call("GET", f"{numbers.container_link}/docs", **headers).status_code == 400


def feed(container, **options):
    pages = container.query_items_change_feed(**options).by_page()
    changes = [one["id"] for page in pages for one in page]
    return changes, pages.continuation_token


def test_the_change_feed_tells_each_document_at_its_last_change(container):
    for name in ("1", "2", "3"):
        container.upsert_item({"id": name, "pk": "a"})
    container.upsert_item({"id": "1", "pk": "a", "v": 2})
    changes, token = feed(container, start_time="Beginning", max_item_count=2)
    assert changes == ["2", "3", "1"]
    assert feed(container, continuation=token)[0] == []
    container.upsert_item({"id": "2", "pk": "b"})
    assert feed(container, continuation=token)[0] == ["2"]


def test_a_page_of_the_change_feed_holds_at_most_four_megabytes(container, call):
    def read(**headers):
        """Read a page, which a container with so few RU/s may refuse for a moment."""

        def served():
            answer = call("GET", f"{container.container_link}/docs", a_im="Incremental Feed", **headers)
            return None if answer.status_code == TOO_MANY else answer

        return wait_until(served)

    for n in range(4):
        container.upsert_item({"id": str(n), "pk": "a", "s": "x" * 1_500_000})
    answer = read()
    assert len(answer.content) <= 4 * 2**20
    assert [one["id"] for one in answer.json()["Documents"]] == ["0", "1"]
    rest = read(if_none_match=answer.headers["etag"])
    assert [one["id"] for one in rest.json()["Documents"]] == ["2", "3"]
    end = read(if_none_match=rest.headers["etag"])
    assert (end.status_code, end.headers["etag"]) == (304, rest.headers["etag"])


@pytest.mark.parametrize(
    "headers", [{"a_im": "Full-Fidelity Feed"}, {"a_im": "Incremental Feed", "if_none_match": '"x"'}]
)
def test_a_change_feed_that_is_not_supported_is_refused(container, call, headers):
    assert call("GET", f"{container.container_link}/docs", **headers).status_code == 400


def test_the_change_feed_begins_at_a_time(container):
    container.upsert_item({"id": "1", "pk": "a"})
    written = datetime.fromtimestamp(container.read_item("1", "a")["_ts"], UTC)
    assert feed(container, start_time=written - timedelta(minutes=1))[0] == ["1"]
    assert feed(container, start_time=written + timedelta(minutes=1))[0] == []


def test_a_feed_of_no_changes_since_a_time_goes_on_with_those_to_come(container, call):
    container.upsert_item({"id": "1", "pk": "a"})
    link = f"{container.container_link}/docs"
    first = call("GET", link, a_im="Incremental Feed", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT")
    assert first.status_code == 304
    container.upsert_item({"id": "2", "pk": "a"})
    following = call("GET", link, a_im="Incremental Feed", if_none_match=first.headers["etag"])
    assert [one["id"] for one in following.json()["Documents"]] == ["2"]
