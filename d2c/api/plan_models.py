"""Proposals of plans in the HTTP API: the body, and the models of this part of its OpenAPI document."""

from typing import Annotated, Any

from pydantic import Field

from d2c.api.check_models import Estimate
from d2c.api.models import Answer
from d2c.plan.fields import Account, Name, Region, ResourceName, StrictModel, TableNames


class ProposeBody(StrictModel):
    """The tables that a plan is proposed for, and where they go."""

    region: Region
    database: ResourceName
    tables: Annotated[list[TableNames], Field(min_length=1, max_length=1000)]
    exclude: Annotated[list[TableNames], Field(max_length=1000)] | None = None
    account: Account | None = None
    name: Name | None = Field(default=None, description="The plan's; made of the database's if left out.")


class Reason(Answer):
    """The reason for what the plan has, or leaves to a default."""

    table: str | None = Field(description="Null if it is about all tables.")
    field: str = Field(description="The plan's field.")
    value: str
    reason: str


class Choice(Answer):
    """A possible answer to a question, and what it changes in the plan."""

    answer: str
    settings: dict[str, Any] = Field(
        description="Fields of the table's entry, or of the plan; none if it stays as it is."
    )
    tables: dict[str, dict[str, Any]] = Field(
        default={}, description="Fields of the entries of tables, for a question about all; by table."
    )
    leave_out: bool = Field(description="Whether the table is taken out of the plan.")


class Question(Answer):
    """A question that only the user can answer."""

    table: str | None = Field(description="Null if it is about all tables.")
    field: str = Field(description="The plan's field that it is about.")
    question: str
    choices: list[Choice] = Field(description="The first is what the plan has; none if there is only a task.")


class Proposal(Answer):
    """A valid plan, the reasons for it, open questions, and what it would take and cost."""

    plan: dict[str, Any]
    reasons: list[Reason]
    questions: list[Question]
    estimate: Estimate
