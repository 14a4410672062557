import json

import httpx
import pytest

from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import failed_table_report, report, table_report

PATH = "/api/migrations/music-2026/report"
PAGE = httpx.Response(
    200, content=b"<!doctype html><p>caf\xc3\xa9", headers={"content-type": "text/html; charset=utf-8"}
)


def rows_of(result, first):
    return [line.split() for line in result.stdout.splitlines() if line.split()[:1] == [first]]


def test_the_summary_shows_items_verification_seconds_and_throughput_of_each_table(run, service):
    service.on("GET", PATH, report())
    result = run("report", "music-2026")
    assert result.exit_code == 0
    assert result.stdout.startswith("Migration music-2026: succeeded\n")
    assert rows_of(result, "Music") == [
        ["Music", "shop/music", "succeeded", "1,000", "1,000", "0", "0", "as", "expected"],
        ["Music", "300.5", "20.0", "2.0", "30.0", "100.0", "40.0", "0.3", "492.8"],
        ["Music", "10", "4,000", "1,000", "39,300", "97"],
    ]


def test_a_container_that_shares_its_databases_throughput_shows_that(run, service):
    shared = {"peak_ru_per_second": None, "after_ru_per_second": None, "shared_ru_per_second": 400}
    service.on("GET", PATH, report("succeeded", table_report(throughput=shared)))
    assert rows_of(run("report", "music-2026"), "Music")[-1][:4] == ["Music", "10", "400", "400"]


def test_indexes_of_after_the_load_are_told_with_how_far_they_were(run, service):
    found = {"percent": 63, "seconds": 14_400.0, "estimated_ru": 1, "counted_ru": None}
    service.on("GET", PATH, report("succeeded", table_report(indexing=found)))
    result = run("report", "music-2026")
    assert "Music: 63 % of its indexes were built after the load, within 14,400 seconds" in result.stdout


def test_a_table_that_failed_is_shown_with_what_is_known_of_it(run, service):
    service.on("GET", PATH, report("failed", table_report(), failed_table_report()))
    result = run("report", "music-2026")
    assert result.exit_code == 1
    assert rows_of(result, "Orders") == [
        ["Orders", "shop/orders", "failed", "-", "-", "-", "-", "not", "reached"],
        ["Orders", "1.2", "-", "-", "-", "-", "-", "-", "1.2"],
        ["Orders", "-", "-", "-", "-", "-"],
    ]
    assert rows_of(result, "all") == [["all", "1,000", "1,000", "0", "0"]]
    assert "Orders, export: The stage failed: Point-in-time recovery is off" in result.stdout


def test_rejected_items_are_told_by_reason_and_make_the_exit_status_3(run, service):
    items = {"exported": 1000, "written": 997, "rejected": 3, "expired": 0}
    reasons = {"inexact_number": 2, "malformed_line": 1}
    service.on("GET", PATH, report("succeeded", table_report(items=items, rejected_by_reason=reasons)))
    result = run("report", "music-2026")
    assert result.exit_code == 3
    assert "Music: rejected items: 2 inexact_number, 1 malformed_line" in result.stdout


@pytest.mark.parametrize("kind", ["missing", "unexpected", "different"])
def test_mismatches_are_told_by_kind_and_make_the_exit_status_3(run, service, kind):
    verification = {**table_report()["verification"], kind: 7}
    service.on("GET", PATH, report("succeeded", table_report(verification=verification)))
    result = run("report", "music-2026")
    assert result.exit_code == 3
    assert rows_of(result, "Music")[0][-2:] == ["7", kind]


def test_a_verification_by_counts_says_so(run, service):
    verification = {**table_report()["verification"], "method": "counts", "different": None}
    service.on("GET", PATH, report("succeeded", table_report(verification=verification)))
    result = run("report", "music-2026")
    assert result.exit_code == 0
    assert "as expected (counts)" in result.stdout


def test_json_gives_the_report_as_it_is(run, service):
    service.on("GET", PATH, report())
    result = run("report", "music-2026", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, report())
    assert service.requests[0].headers["accept"] == "application/json"


def test_the_report_is_written_as_a_page_and_as_json(run, service, tmp_path):
    service.on("GET", PATH, report(), PAGE)
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    assert run("report", "music-2026", "--html", str(page), "--output", str(data)).exit_code == 0
    assert page.read_bytes() == PAGE.content
    assert json.loads(data.read_bytes()) == report()
    assert service.requests[1].headers["accept"] == "text/html"
    assert sorted(tmp_path.iterdir()) == [page, data]


def test_a_file_that_cannot_be_written_is_wrong_use_and_leaves_nothing(run, service, tmp_path):
    service.on("GET", PATH, report())
    result = run("report", "music-2026", "--output", str(tmp_path / "missing" / "report.json"))
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_none_is_not_written(run, service, tmp_path):
    service.on("GET", PATH, report())
    result = run("report", "music-2026", "--html", str(tmp_path / "report.html"))
    assert result.exit_code == 1
    assert "The response is not from the d2c API" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_is_not_there_yet_is_told(run, service):
    service.on("GET", PATH, problem(404, "Not found", "It is running.", "Ask again once it has ended."))
    result = run("report", "music-2026")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["Not found: It is running.", "Next: Ask again once it has ended."]
