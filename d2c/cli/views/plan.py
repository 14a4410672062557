"""The views of a proposed plan, for standard error: reasons, questions and the price."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.report.formats import duration

Json = Mapping[str, Any]


def reason_lines(reasons: Sequence[Json]) -> list[str]:
    """Return the reasons for what the plan has, or leaves to a default, by table."""
    lines = []
    for table in dict.fromkeys(reason["table"] for reason in reasons):
        lines.append(table or "All tables")
        lines += [
            f"  {each['field']}: {each['value']}: {each['reason']}."
            for each in reasons
            if each["table"] == table
        ]
    return lines


def question_lines(questions: Sequence[Json], heading: str = "For you to decide") -> list[str]:
    """Return questions, each with its possible answers; the plan has the first one."""
    lines = ["", heading] if heading and questions else []
    for question in questions:
        about = question["table"] or "All tables"
        lines.append(f"  {about}, {question['field']}: {question['question']}")
        lines += [f"    {number}. {each['answer']}" for number, each in enumerate(question["choices"], 1)]
    return lines


def estimate_lines(estimate: Json) -> list[str]:
    """Return what the plan takes and costs; `d2c check` has the details."""
    total, currency = estimate["total"], estimate["basis"]["currency"]
    lines = [
        "",
        f"With its first answers: about {duration(total['seconds_in_all'])}, {total['once']:,.2f} {currency} once and "
        f"{total['per_month']:,.2f} {currency} a month afterwards. d2c check has the details.",
    ]
    if estimate["tables_of_unknown_size"]:
        lines.append(f"Size unknown, not included: {', '.join(estimate['tables_of_unknown_size'])}.")
    return lines
