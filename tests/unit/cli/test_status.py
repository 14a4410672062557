import json

import httpx
import pytest

from tests.unit.cli.conftest import problem
from tests.unit.cli.samples import (
    EXPORT_FAILED,
    IDLE_STAGE,
    OPERATION_FAILED,
    arrived,
    migration,
    operation,
    table,
)

ONE = "/api/migrations/music-2026"


def listed(*names):
    """Return what a list says of migrations."""
    return [
        {
            key: value
            for key, value in migration("failed", name=name).items()
            if key in ("id", "state", "started_at", "finished_at")
        }
        for name in names
    ]


def test_without_an_id_all_migrations_are_listed_in_the_apps_order_over_all_pages(run, service):
    service.on(
        "GET",
        "/api/migrations",
        {"migrations": listed("third", "second"), "next": "a/b+c"},
        {"migrations": listed("first"), "next": None},
    )
    result = run("status")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    names = [row[0] for row in rows if row and row[0] in ("first", "second", "third")]
    assert names == ["third", "second", "first"]
    assert ["third", "failed", "2026-01-31", "12:00:05", "2026-01-31", "12:30:00"] in rows
    assert [request.url.params.get("token") for request in service.requests] == [None, "a/b+c"]


def test_a_list_as_json_is_one_object_with_every_page(run, service):
    service.on(
        "GET",
        "/api/migrations",
        {"migrations": listed("b"), "next": "x"},
        {"migrations": listed("a"), "next": None},
    )
    result = run("status", "--json")
    assert json.loads(result.stdout) == {"migrations": listed("b", "a")}


def test_an_empty_list_says_how_to_start_one(run, service):
    service.on("GET", "/api/migrations", {"migrations": [], "next": None})
    assert "d2c start PLAN" in run("status").stdout


def test_a_migration_is_shown_with_the_counts_of_each_table_and_the_errors_below(run, service):
    failed = table("Orders", "failed", stage="export", percent=0, items_exported=None, error=EXPORT_FAILED)
    service.on("GET", ONE, migration("failed", arrived(mismatches=4), failed))
    result = run("status", "music-2026")
    assert result.exit_code == 1
    heading, sums, *lines = result.stdout.splitlines()
    assert sums.startswith("47 %; items: 1,234,567 exported")
    assert heading == "Migration music-2026: failed, 2 of 2 tables have ended (1 failed, 1 succeeded)"
    rows = [line.split() for line in lines]
    music = next(row for row in rows if row and row[0] == "Music")
    assert music[:3] == ["Music", "succeeded", "report"]
    assert music[-6:] == ["100", "1,234,567", "1,234,567", "0", "0", "4"]
    assert (
        "Orders, export: The stage failed: Point-in-time recovery is off for Orders [eu-west-1].\n"
        "  Next: Turn it on and start again.\n"
    ) in result.stdout


def test_a_table_whose_turn_has_not_come_is_shown_without_stage_and_counts(run, service):
    waiting = table(state="pending", stage=None, percent=0, items_exported=None)
    service.on("GET", ONE, migration("running", waiting))
    row = next(line for line in run("status", "music-2026").stdout.splitlines() if "Music" in line)
    assert row.split() == ["Music", "pending", "-", "0", "-", "-", "-", "-", "-"]


def test_json_gives_the_apps_status_as_it_is(run, service):
    service.on("GET", ONE, migration())
    result = run("status", "music-2026", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, migration())


@pytest.mark.parametrize(
    ("state", "tables", "status"),
    [
        ("pending", [table(state="pending")], 0),
        ("running", [arrived(items_rejected=1), table("Orders")], 0),
        ("succeeded", [arrived()], 0),
        ("failed", [table(state="failed")], 1),
        ("cancelled", [table(state="cancelled")], 1),
        ("succeeded", [arrived(), arrived("Orders", items_rejected=1)], 3),
        ("succeeded", [arrived(mismatches=1)], 3),
    ],
)
def test_the_exit_status_tells_how_the_migration_ended(run, service, state, tables, status):
    service.on("GET", ONE, migration(state, *tables))
    assert run("status", "music-2026").exit_code == status


def test_the_last_operation_stands_below_the_table(run, service):
    operations = [operation("replay", number=2), operation("verify", number=1)]
    service.on("GET", ONE, migration("succeeded", arrived(), operations=operations))
    result = run("status", "music-2026")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Operation replay 2: succeeded at 2026-02-01 10:05:00 UTC"
    assert "verify" not in result.stdout


def test_an_operation_under_way_stands_below_the_table_with_its_start(run, service):
    operations = [operation("verify", "running", 3), operation("replay", "failed", 2, OPERATION_FAILED)]
    service.on("GET", ONE, migration("succeeded", arrived(), operations=operations))
    result = run("status", "music-2026")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Operation verify 3: running since 2026-02-01 11:00:00 UTC"


def test_a_failed_last_operation_is_told_with_its_error_and_makes_the_exit_status_1(run, service):
    failed = operation("verify", "failed", 1, OPERATION_FAILED)
    service.on("GET", ONE, migration("succeeded", arrived(), operations=[failed]))
    result = run("status", "music-2026")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-3:] == [
        "Operation verify 1: failed at 2026-02-01 09:05:00 UTC",
        "verify 1: The stage failed: The load run of Music was stopped.",
        "  Next: Verify again.",
    ]


def test_an_app_of_before_operations_and_sums_is_shown(run, service):
    known = ("id", "state", "started_at", "finished_at", "tables", "links")
    earlier = {key: value for key, value in migration("succeeded", arrived()).items() if key in known}
    service.on("GET", ONE, earlier)
    assert run("status", "music-2026", "--watch").exit_code == 0


def test_watching_goes_on_while_an_operation_is_under_way_with_a_line_for_each_change(run, service):
    def at(state, *tables, error=None):
        return migration("succeeded", *tables, operations=[operation("replay", state, error=error)])

    service.on(
        "GET",
        ONE,
        at("pending", arrived(items_rejected=2)),
        at("running", arrived(items_rejected=2)),
        at("running", arrived(items_rejected=2)),
        at("succeeded", arrived()),
    )
    result = run("status", "music-2026", "--watch")
    assert (result.exit_code, service.pauses) == (0, [2, 2, 2])
    lines = [line for line in result.stdout.splitlines() if " | " in line]
    assert [line for line in lines if line.startswith("replay")] == [
        "replay 1 | pending",
        "replay 1 | running",
        "replay 1 | succeeded",
    ]
    assert len(lines) == 5


def test_watching_prints_a_line_for_each_change_and_none_for_what_stayed(run, service):
    waiting = table("Orders", "pending", stage=None, percent=0, items_exported=None)
    failed = table("Orders", "failed", stage="export", percent=0, items_exported=None, error=EXPORT_FAILED)
    service.on(
        "GET",
        ONE,
        migration("running", table(), waiting),
        migration("running", table(), waiting),
        migration("running", arrived(), waiting),
        migration("failed", arrived(), failed),
    )
    result = run("status", "music-2026", "--watch")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:4] == [
        "Music | running | load 60 % | 1,234,567 exported",
        "Orders | pending",
        "Music | succeeded | report 100 % | 1,234,567 exported, 1,234,567 written, 0 rejected, 0 expired, 0 mismatches",
        "Orders | failed | export 0 % | The stage failed: Point-in-time recovery is off for Orders [eu-west-1]. "
        "Next: Turn it on and start again.",
    ]
    assert result.stdout.splitlines()[4].startswith("Migration music-2026: failed")
    assert service.pauses == [2, 2, 2]


def test_many_tables_are_looked_at_less_often(run, service):
    tables = [table(f"table-{number}") for number in range(500)]
    service.on("GET", ONE, migration("running", *tables), migration("succeeded", *tables))
    run("status", "music-2026", "--watch")
    assert service.pauses == [5]


def test_all_tables_are_asked_for_over_as_many_pages_as_it_takes(run, service):
    first = migration("running", table("Music"), next="1000")
    second = migration("running", table("Orders"))
    service.on("GET", ONE, first, second)
    shown = json.loads(run("status", "music-2026", "--json").stdout)
    assert shown == {**second, "tables": [table("Music"), table("Orders")]}
    assert [request.url.params.get("token") for request in service.requests] == [None, "1000"]
    assert service.requests[0].url.params["top"] == "1000"


def test_tables_in_one_state_are_shown_alone_and_the_exit_status_is_that_of_all(run, service):
    failed = table("Orders", "failed", error=EXPORT_FAILED)
    service.on("GET", ONE, migration("succeeded", arrived(items_rejected=1), failed))
    result = run("status", "music-2026", "--state", "failed")
    assert result.exit_code == 3
    assert "2 of 2 tables have ended" in result.stdout
    assert ("Orders" in result.stdout, "Music" in result.stdout) == (True, False)
    shown = json.loads(run("status", "music-2026", "--state", "failed", "--json").stdout)
    assert [one["table"] for one in shown["tables"]] == ["Orders"]


def test_tables_in_one_state_are_watched_alone(run, service):
    waiting = table("Orders", "pending", stage=None)
    service.on("GET", ONE, migration("running", table(), waiting), migration("succeeded", arrived()))
    lines = run("status", "music-2026", "--watch", "--state", "running").stdout.splitlines()
    assert [line for line in lines if " | running" in line] == [
        "Music | running | load 60 % | 1,234,567 exported"
    ]
    assert not [line for line in lines if line.startswith("Orders")]


def test_what_all_tables_come_to_stands_above_them(run, service):
    changes = {"eta": "2026-02-01T14:05:09+00:00", "percent": 47}
    service.on("GET", ONE, migration("running", arrived(), **changes))
    items = "items: 1,234,567 exported, 1,234,567 written, 0 rejected, 0 expired"
    assert f"47 %; {items}; estimated completion 02-01 14:05 UTC" in run("status", "music-2026").stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"paused": True}, "paused, resume it: d2c resume music-2026"),
        ({"waiting_until": "2026-02-01T22:00:00+00:00"}, "waits until 02-01 22:00 UTC"),
    ],
)
def test_what_holds_a_migration_is_told(run, service, changes, words):
    service.on("GET", ONE, migration("running", **changes))
    assert words in run("status", "music-2026").stdout


def test_why_a_migration_failed_as_a_whole_is_told(run, service):
    service.on("GET", ONE, migration("failed", error=OPERATION_FAILED))
    assert (
        "music-2026: The stage failed: The load run of Music was stopped."
        in run("status", "music-2026").stdout
    )


def test_a_table_that_waits_or_is_stalled_says_so(run, service):
    stalled = {
        "stage": "copy",
        "since": "2026-02-01T09:00:00+00:00",
        "detail": "Nothing was copied for 2 hours.",
    }
    tables = [
        table("Music", stage="copy", stalled=stalled),
        table("Orders", stage="export", waiting={"for": "tables", "until": None, "place": None}),
        table("Users", stage="copy", waiting={"for": "copy_lane", "until": None, "place": 12}),
        table("Sold", stage="copy", finding="of 0 bytes: data/a.json.gz"),
    ]
    service.on("GET", ONE, migration("running", *tables), migration("failed", *tables))
    lines = run("status", "music-2026", "--watch").stdout.splitlines()
    assert (
        lines[0]
        == "Music | running | copy 60 % | no progress since 2026-02-01 09:00:00 UTC | 1,234,567 exported"
    )
    assert "waits for other tables: as many run as the plan allows" in lines[1]
    assert "waits for its copy to begin (12. in the queue)" in lines[2]
    rows = [line.split()[:3] for line in lines]
    assert ["Music", "stalled", "copy"] in rows
    assert ["Orders", "waiting", "export"] in rows
    told = "Music, copy: no progress since 2026-02-01 09:00:00 UTC: Nothing was copied for 2 hours."
    assert told in lines
    assert "Sold | running | copy 60 % | of 0 bytes: data/a.json.gz" in lines[3]
    assert "Sold, copy: of 0 bytes: data/a.json.gz" in lines


def test_a_stage_that_holds_the_migration_back_is_told(run, service):
    stages = {
        **dict.fromkeys(("export", "copy"), IDLE_STAGE),
        "load": {"lanes": 4, "busy": 4, "waiting": 1300},
    }
    service.on("GET", ONE, migration("running", stages=stages, held_back_by="load"))
    assert "1,300 tables wait for load, 4 at once" in run("status", "music-2026").stdout


def test_a_table_tells_when_it_may_arrive(run, service):
    service.on("GET", ONE, migration("running", table(eta="2026-02-01T14:05:09+00:00"), table("Orders")))
    lines = run("status", "music-2026").stdout.splitlines()
    assert any("ETA (UTC)" in line for line in lines)
    row = next(line for line in lines if line.split()[:1] == ["Music"])
    assert "02-01 14:05" in row


def test_what_is_no_state_is_wrong_use(run, service):
    result = run("status", "music-2026", "--state", "done")
    assert (result.exit_code, service.requests) == (2, [])
    assert "pending, running" in result.stderr


def test_watching_what_has_ended_looks_once(run, service):
    service.on("GET", ONE, migration("succeeded", arrived()))
    assert run("status", "music-2026", "--watch").exit_code == 0
    assert (len(service.requests), service.pauses) == (1, [])


def test_trouble_while_watching_is_told_and_waited_out_with_growing_pauses(run, service):
    service.on(
        "GET",
        ONE,
        migration(),
        httpx.ReadTimeout("slow"),
        problem(503, "A service did not answer", "The lake said 500.", "Wait."),
        httpx.Response(502, text="<html>Bad gateway</html>"),
        migration("succeeded", arrived()),
    )
    result = run("status", "music-2026", "--watch", "--json")
    assert (result.exit_code, service.pauses) == (0, [2, 1, 2, 4])
    lines = result.stderr.splitlines()
    assert [line.rpartition(". ")[2] for line in lines] == [
        f"Retrying in {seconds} seconds." for seconds in (1, 2, 4)
    ]
    assert "did not answer within 60 seconds" in lines[0]
    assert "The lake said 500." in lines[1]
    assert "502" in lines[2]


def test_an_outage_that_lasts_ends_the_watch_with_its_error(run, service):
    service.on("GET", ONE, migration(), httpx.ConnectError("refused"))
    result = run("status", "music-2026", "--watch")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2].startswith("The app cannot be reached: http://127.0.0.1:7071")
    assert service.pauses == [2, 1, 2, 4, 8, 15, 30, 60, 60, 60, 60]


def test_an_app_that_never_answered_is_not_waited_for(run, service):
    service.on("GET", ONE, httpx.ConnectError("refused"))
    assert (run("status", "music-2026", "--watch").exit_code, service.pauses) == (1, [])


def test_a_refusal_while_watching_is_not_tried_again(run, service):
    service.on("GET", ONE, migration(), problem(404))
    assert (run("status", "music-2026", "--watch").exit_code, service.pauses) == (1, [2])


def test_an_interrupt_ends_the_watch_and_says_that_the_migration_goes_on(run, service):
    def interrupt(_):
        raise KeyboardInterrupt

    service.on("GET", ONE, migration())
    result = run("status", "music-2026", "--watch", pause=interrupt)
    assert result.exit_code == 130
    assert "the migration continues. Watch it again: d2c status music-2026 --watch" in result.stderr


@pytest.mark.parametrize("options", [["--watch"], ["--state", "failed"]])
def test_watching_and_filtering_need_an_id(run, service, options):
    result = run("status", *options)
    assert (result.exit_code, service.requests) == (2, [])
    assert "the ID of a migration" in result.stderr


@pytest.mark.parametrize("text", ["", "..", "a/b", "a b", "plan.json", "-x"])
def test_what_cannot_be_an_id_is_wrong_use(run, service, text):
    assert (run("status", "--", text).exit_code, service.requests) == (2, [])
