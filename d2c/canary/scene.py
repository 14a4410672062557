"""What the checks look at: the deployment through the operator's clients, and what the canary's migration left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from d2c.app.settings import Settings
from d2c.canary.findings import UntriedError
from d2c.canary.names import Names
from d2c.canary.operator.aws import OperatorAws
from d2c.canary.operator.cosmos import OperatorCosmos
from d2c.canary.operator.factory import OperatorFactory
from d2c.canary.operator.workspace import OperatorWorkspace
from d2c.clients.azure.lake import Lake
from d2c.deploy.parts import Difference

Answer = dict[str, Any]


class App(Protocol):
    """The calls of the app's HTTP API that a canary makes."""

    def start(self, plan: bytes) -> Answer: ...

    def check(self, plan: bytes) -> Answer: ...

    def check_status(self, check: str) -> Answer: ...

    def status(self, migration: str) -> Answer: ...

    def report(self, migration: str) -> Answer: ...

    def change(self, migration: str, action: str, body: Answer | None = None) -> Answer: ...


@dataclass(frozen=True)
class Deployment:
    """The deployment, reached by the operator's own sign-in; the app by its HTTP API.

    Args:
        settings: the app's.
        environment: from which they were read, with those of `d2c deploy`.
        app: the HTTP API.
        aws: DynamoDB and S3.
        lake: the file system.
        cosmos: the account.
        factory: the data factory.
        workspace: the Databricks workspace.
        differences: compares the deployed parts with this version.
        pause: sleeps for a number of seconds.
        clock: returns seconds that only grow.
    """

    settings: Settings
    environment: Mapping[str, str]
    app: App
    aws: OperatorAws
    lake: Lake
    cosmos: OperatorCosmos
    factory: OperatorFactory
    workspace: OperatorWorkspace
    differences: Callable[[], Sequence[Difference]]
    pause: Callable[[float], None]
    clock: Callable[[], float]

    @property
    def look_seconds(self) -> float:
        """The time between two looks, as often as the app itself looks."""
        return max(self.settings.polling.first_seconds, 1)


@dataclass
class Scene:
    """One canary: its names and its plan, and what is known of its migration so far.

    ``given`` has the tables that it moves instead of its own. ``findings`` are those of the app's check, ``statuses``
    each status that was seen, ``report`` the migration's, and ``plan_answer`` the seconds until the app answered the
    plan in the lake, with the answer.
    """

    deployment: Deployment
    names: Names
    plan: Answer
    given: tuple[str, ...] = ()
    findings: list[Answer] = field(default_factory=list)
    statuses: list[Answer] = field(default_factory=list)
    report: Answer | None = None
    plan_answer: tuple[float, Answer] | None = None
    trouble: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The app's settings."""
        return self.deployment.settings

    @property
    def tables(self) -> list[str]:
        """The names of the tables that are moved."""
        return [entry["table"] for entry in self.plan["tables"]]

    def reported(self, table: str | None = None) -> Answer:
        """Return the migration's report, or one table's part of it.

        Raises:
            UntriedError: if there is none.
        """
        if self.report is None:
            raise UntriedError(f"The migration has no report. {' '.join(self.trouble)}".strip())
        if table is None:
            return self.report
        return next(part for part in self.report["tables"] if part["table"] == table)

    def succeeded(self, table: str) -> Answer:
        """Return the report's part of a table that was moved.

        Raises:
            UntriedError: if it was not.
        """
        part = self.reported(table)
        if part["state"] != "succeeded":
            raise UntriedError(
                f"The table was not moved: {(part['error'] or {}).get('detail', part['state'])}"
            )
        return part

    def own_table(self, kind: str) -> str:
        """Return the name of one of the canary's own tables.

        Raises:
            UntriedError: if it moves tables that it was given.
        """
        if self.given:
            raise UntriedError("The tables were given (--table), and only the canary's own have such items.")
        return self.names.table(kind)

    def finding(self, system: str, check: str) -> Answer:
        """Return a finding of the app's check.

        Raises:
            UntriedError: if there is none.
        """
        for one in self.findings:
            if (one["system"], one["check"]) == (system, check):
                return one
        raise UntriedError("The app's check of the plan did not come so far.")
