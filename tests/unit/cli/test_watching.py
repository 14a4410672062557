"""The live display, on a terminal that is a text buffer."""

import io
import re

import pytest
from rich.console import Console

from d2c.cli.watching import LineDisplay, LiveDisplay, choose_display, follow
from d2c.errors import TransientError
from tests.unit.cli.samples import EXPORT_FAILED, arrived, going, migration, operation, table


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_of(width=120, height=40, **options):
    return Console(
        file=Terminal(), force_terminal=True, color_system=None, width=width, height=height, **options
    )


def watch(console, *answers):
    """Follow answers to the last one; the pauses are returned."""
    pauses, remaining = [], list(answers)

    def look():
        answer = remaining.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    follow(look, LiveDisplay(console), pauses.append)
    return pauses


def test_a_terminal_gets_the_table_with_a_bar_redrawn_at_every_look():
    console = terminal_of()
    watch(console, migration(), migration("succeeded", arrived()))
    shown = console.file.getvalue()
    assert "━━━" in shown
    assert re.search(r"Music\s+running\s+load\s+━+╸?\s+60\s+1,234,567", shown)
    assert re.search(r"Music\s+succeeded\s+report\s+━+\s+100\s+1,234,567\s+1,234,567\s+0\s+0\s+0", shown)
    assert "\x1b[2K" in shown


def test_a_bar_of_all_tables_stands_before_what_they_come_to():
    console = terminal_of(width=140)
    later = migration("running", arrived(), eta="2026-02-01T14:05:09+00:00")
    watch(console, later, migration("succeeded", arrived()))
    items = "items: 1,234,567 exported, 1,234,567 written, 0 rejected, 0 expired"
    line = re.search(r"━━━━━━━━━╸? +47 %; .*", console.file.getvalue())[0]
    assert line.split("47 %; ")[1].strip() == f"{items}; estimated completion 02-01 14:05 UTC"


def test_the_error_of_a_table_stands_below_the_live_table():
    console = terminal_of()
    failed = table("Orders", "failed", stage="export", percent=0, error=EXPORT_FAILED)
    watch(console, migration("running", failed, table()), migration("failed", failed, arrived()))
    assert "Orders, export: The stage failed: Point-in-time recovery is off" in console.file.getvalue()


def test_trouble_stands_below_the_last_table_until_the_next_look():
    console = terminal_of()
    trouble = TransientError("http://x did not answer.", "Wait.", "The app cannot be reached")
    assert watch(console, migration(), trouble, migration("succeeded", arrived())) == [2, 1]
    shown = console.file.getvalue()
    note = "The app cannot be reached: http://x did not answer. Retrying in 1 seconds."
    assert shown.count(note) == 1
    assert shown.index("running") < shown.index(note) < shown.rindex("succeeded")


def test_trouble_before_the_first_look_is_shown_too():
    console = terminal_of()
    watch(console, TransientError("No answer.", "Wait."), migration("succeeded", arrived()))
    assert "No answer." in console.file.getvalue()


def test_where_there_is_no_room_for_all_tables_those_that_need_eyes_are_shown():
    console = terminal_of(height=24)
    tables = [arrived(f"done-{number}") for number in range(30)]
    tables += [table("busy"), table("broken", "failed", error=EXPORT_FAILED)]
    watch(console, migration("running", *tables), migration("failed", *tables))
    shown = console.file.getvalue()
    assert "broken" in shown
    assert "busy" in shown
    assert "... and 28 more tables (28 succeeded)" in shown


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_hundreds_of_tables_stay_within_the_terminals_height(width, height):
    console = terminal_of(width=width, height=height)
    stalled = {"stage": "copy", "since": "2026-02-01T09:00:00+00:00", "detail": "Nothing moves. " * 9}
    tables = [
        *(table(f"broken-{number}", "failed", error=EXPORT_FAILED) for number in range(60)),
        *(going(f"busy-{number}", stalled=stalled, eta="2026-02-01T14:05:09+00:00") for number in range(60)),
        *(arrived(f"done-{number}") for number in range(380)),
    ]
    watch(console, migration("running", *tables), migration("failed", *tables))
    frame = re.split(r"\x1b\[2K", console.file.getvalue())[0]
    assert len(frame.splitlines()) <= height
    assert "more tables (" in frame
    assert "d2c status music-2026 --state failed shows every error" in frame


def test_how_far_a_stage_is_stands_below_the_live_table():
    console = terminal_of()
    watch(console, migration("running", going(), table("Orders")), migration("succeeded", arrived()))
    shown = console.file.getvalue()
    assert "Music, load: 412,000 of 1,234,567 items, 38.1 MB of 114.4 MB, 3,120 items/s" in shown
    assert "Orders, load:" not in shown


def test_lines_for_a_log_tell_how_far_a_stage_is_and_are_not_repeated_for_that_alone(capsys):
    display = LineDisplay()
    for items in (412_000, 413_000):
        one = going()
        display.show(migration("running", {**one, "progress": {**one["progress"], "items": items}}))
    display.show(migration("running", going(percent=61)))
    lines = capsys.readouterr().out.splitlines()
    assert [re.search(r"load (\d+) % .* \| ([\d,]+) of", line).groups() for line in lines] == [
        ("60", "412,000"),
        ("61", "412,000"),
    ]


def test_an_operation_stands_below_the_live_table():
    console = terminal_of()
    done = arrived()
    watch(
        console,
        migration("succeeded", done, operations=[operation("verify", "running")]),
        migration("succeeded", done, operations=[operation("verify", "succeeded")]),
    )
    shown = console.file.getvalue()
    assert shown.index("verify 1: running since 2026-02-01 09:00:00 UTC") < shown.index(
        "verify 1: succeeded at"
    )


def test_on_a_narrow_terminal_no_number_is_cut():
    console = terminal_of(width=80)
    name = "A-table-with-a-name-that-needs-a-lot-of-room"
    watch(console, migration("running", table(name), arrived()), migration("succeeded", arrived(name)))
    lines = console.file.getvalue().splitlines()
    row = next(line for line in lines if "A-t" in line)
    assert re.search(r"A-t[^ ]*… load\s+━+╸?\s+60 1,234,567\s+-\s+-\s+-\s+-", row)


def test_text_in_brackets_is_shown_as_it_is():
    console = terminal_of()
    error = {**EXPORT_FAILED, "detail": "[bold]Errno[/bold] [111] :warning:"}
    watch(console, migration("failed", table(state="failed", error=error)))
    assert "[bold]Errno[/bold] [111] :warning:" in console.file.getvalue()


def test_the_display_fits_where_the_output_goes():
    assert isinstance(choose_display(terminal_of(), as_json=False), LiveDisplay)
    pipe = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(choose_display(pipe, as_json=False), LineDisplay)
    dumb = terminal_of(_environ={"TERM": "dumb"})
    assert isinstance(choose_display(dumb, as_json=False), LineDisplay)
    quiet = choose_display(terminal_of(), as_json=True)
    assert not isinstance(quiet, LineDisplay | LiveDisplay)
