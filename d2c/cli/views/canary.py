"""The views of the canary: what it needs and costs before, and afterwards a table in Markdown, for an issue."""

from collections.abc import Iterator, Mapping
from typing import Any


def notice_lines(notice: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the operator is to know before it begins.

    Args:
        notice: as `d2c.canary.program.notice_of` returns it.
    """
    price = notice["price"]
    yield f"{notice['canary']} moves {' and '.join(notice['tables'])} of AWS account {notice['account']}."
    yield "Your own sign-in to Azure and AWS needs these rights:"
    width = max(len(right["system"]) for right in notice["rights"])
    for right in notice["rights"]:
        yield f"  {right['system']:<{width}}  {right['right']} on {right['on']}: {right['use']}"
    if notice["given"]:
        yield "The price is that of tiny tables; d2c check estimates yours."
    yield f"It takes about {price['minutes']} minutes, and costs about {price['once']:.2f} {price['currency']}."
    if price["unknown"]:
        yield f"Price or quantity unknown: {', '.join(price['unknown'])}."


def result_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the result.

    Args:
        result: as `d2c.canary.result.result_of` returns it.
    """
    counts = ", ".join(f"{count} {state}" for state, count in result["counts"].items() if count)
    yield f"{result['canary']}, d2c {result['version']}, {result['region']}, {result['started_at']}: {counts}"
    yield ""
    yield "| check | state | seen |"
    yield "|---|---|---|"
    for row in result["checks"]:
        yield f"| {row['check']} | {row['state']} | {_cell(row['seen'])} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
