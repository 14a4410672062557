"""What the app's HTTP functions answer on a host, beyond what its document says."""

import pytest

from d2c.plan.model import MOST_PLAN_BYTES
from tests.contract.http.conftest import ENDED, PENDING, start

API = "/api/migrations"


@pytest.mark.parametrize("path", [API, f"{API}/{PENDING}", f"{API}/{PENDING}/rejected", "/api/checks/x"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_find_nothing_and_tell_nothing(http, method, path):
    answer = http.request(method, path)
    assert (answer.status_code, answer.content) == (404, b"")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_another_site_cannot_cancel_by_the_readers_cookie(http):
    headers = {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Cookie": "AppServiceAuthSession=x",
    }
    start(http, "stays")
    key = http.headers["x-functions-key"]
    request = http.build_request("POST", f"{API}/stays/cancel", params={"code": key}, headers=headers)
    del request.headers["x-functions-key"]
    assert http.send(request).status_code == 403
    assert http.get(f"{API}/stays").json()["state"] in ("pending", "running")
    assert http.post(f"{API}/stays/cancel").json()["state"] in ("pending", "running")


@pytest.mark.parametrize("token", ["%00", "%10A", "%0A", "2", "a" * 5000, "8299999999999-%2e%2e"])
def test_a_token_that_is_none_is_refused_without_asking_the_lake(http, token):
    answer = http.get(f"{API}?token={token}")
    assert (answer.status_code, answer.headers["content-type"]) == (
        400,
        "application/problem+json; charset=utf-8",
    )
    assert answer.elapsed.total_seconds() < 5


def test_pages_of_one_migration_each_are_in_order_on_the_lake(http):
    newest, token = [], {}
    while True:
        page = http.get(API, params={"top": 1, **token}).json()
        newest += [one["started_at"] for one in page["migrations"]]
        if page["next"] is None:
            break
        token = {"token": page["next"]}
    assert len(newest) >= 2
    assert newest == sorted(newest, reverse=True)


def test_a_plan_beyond_its_bound_is_refused_and_the_host_goes_on(http):
    headers = {"Content-Type": "application/json"}
    answer = http.post(API, content=b" " * (MOST_PLAN_BYTES + 1), headers=headers)
    assert answer.status_code == 413
    assert http.get(f"{API}/{ENDED}").status_code == 200
