"""What the app's settings say of a plan's tables: whether there is a role for them, and whether it may touch them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from d2c.app.aws_settings import AwsSettings
from d2c.app.settings import Settings
from d2c.errors import PlanError
from d2c.plan.model import Plan
from d2c.plan.validation import is_pattern


def account_faults(plan: Plan, aws: AwsSettings) -> list[str]:
    """Return the faults of tables in an account or region for which the settings have no role."""

    def faults() -> Iterator[str]:
        for number, entry in enumerate(plan.tables):
            fault = aws.fault(entry.account or plan.account, str(entry.region or plan.region))
            if fault:
                yield f"tables.{number}.{fault}"

    return list(faults())


def forbidden_tables(tables: Iterable[Mapping[str, Any]], settings: Settings) -> Iterator[str]:
    """Yield why the app's settings do not let it touch tables; all that decides so asks here.

    Args:
        tables: with ``table`` and ``database``, and ``account`` unless it is that of the settings.
        settings: the app's.
    """
    for table in tables:
        account = table.get("account") or settings.aws.account
        yield from _forbidden(table["table"], {**table, "account": account}, settings)


def refuse_forbidden(tables: Iterable[Mapping[str, Any]], settings: Settings) -> None:
    """Refuse tables that the app's settings do not let it touch.

    Raises:
        PlanError: with each of them.
    """
    faults = list(forbidden_tables(tables, settings))
    if faults:
        raise PlanError(faults)


def forbidden_entries(plan: Plan, settings: Settings, account: str | None = None) -> list[str]:
    """Return why the app's settings do not let it touch the tables of a plan, as far as they are known.

    Tables of a pattern are not until they are found, nor is the account of an existing export until it arrives.

    Args:
        plan: the user's.
        settings: the app's.
        account: that of an existing export's table.
    """
    known = account or (settings.aws.account if plan.start == "now" else None)
    faults: list[str] = []
    for number, entry in enumerate(plan.tables):
        table = {
            "table": None if is_pattern(entry.table) else entry.table,
            "database": entry.database or plan.database,
            "account": entry.account or plan.account or known,
        }
        faults += _forbidden(f"tables.{number}", table, settings)
    return faults


def _forbidden(where: str, table: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    return (f"{where}.{fault}" for fault in settings.allowed.faults(table))
