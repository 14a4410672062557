"""What people see of a check: what is wrong first by system, with the next step, then how much was found in order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from d2c.cli.rendering import table_of

STYLES = {"ok": "green", "skipped": "dim", "warning": "yellow", "failed": "bold red"}
SHOWN = ("failed", "warning")

Finding = Mapping[str, Any]


def check_view(found: Mapping[str, Any], is_wide: bool, *, show_all: bool) -> RenderableType:
    """Return what a check found.

    Args:
        found: the check as the API tells it.
        is_wide: whether there is room for wide tables.
        show_all: whether findings are shown that ask for nothing.
    """
    findings = [one for one in found["checks"] if show_all or one["state"] in SHOWN]
    parts: list[RenderableType] = [_heading(found)]
    for system in dict.fromkeys(one["system"] for one in findings):
        parts += _system_lines(system, [one for one in findings if one["system"] == system])
    return Group(*parts, *([] if findings else [_systems(found["checks"], is_wide)]))


def _heading(found: Mapping[str, Any]) -> Text:
    counts = ((state, found["counts"][state]) for state in ("failed", "warning", "skipped", "ok"))
    told = [(f"{count:,} {state}", STYLES[state]) for state, count in counts if count]
    pieces = [piece for one in told for piece in (", ", one)][1:]
    return Text.assemble(f"{len(found['checks']):,} checks: ", *pieces)


def _system_lines(system: str, findings: Sequence[Finding]) -> Iterator[Text]:
    yield Text(f"\n{system}", "bold")
    for one in findings:
        yield Text.assemble(
            "  ",
            (f"{one['state']:8}", STYLES[one["state"]]),
            f"{one['thing']}, {one['check']}: {one['finding']}",
        )
        if one["next_step"]:
            yield Text(f"          Next: {one['next_step']}")


def _systems(findings: Sequence[Finding], is_wide: bool) -> RenderableType:
    """Return how many checks of each system found nothing to do."""
    view = table_of("System", numbers=("checks",), is_wide=is_wide)
    for system in dict.fromkeys(one["system"] for one in findings):
        view.add_row(system, f"{sum(one['system'] == system for one in findings):,}")
    return view
