"""The indexing policy in a plan: the service's JSON, held to the service's rules before anything is created.

https://learn.microsoft.com/azure/cosmos-db/index-policy
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel

from d2c.foreign_json import quoted
from d2c.mapping.indexing import ALL, KEYS, MOST_COMPOSITE_PROPERTIES, ROOT
from d2c.plan.fields import CompositePath, IndexPath, StrictModel

# The service takes more (1,500 paths); a policy of this size has some 200, and travels with the table.
MOST_POLICY_BYTES = 16_384
MOST_COMPOSITE_INDEXES = 100


ApplyIndexing = Literal["at_creation", "after_load"]


class PolicyPart(StrictModel):
    """A part of a policy, under the service's names."""

    model_config = ConfigDict(
        alias_generator=to_camel, serialize_by_alias=True, extra="forbid", strict=True, frozen=True
    )


class PolicyPath(PolicyPart):
    """A path with or without an index."""

    path: IndexPath


class CompositeEntry(PolicyPart):
    """A property of a composite index."""

    path: CompositePath
    order: Literal["ascending", "descending"] = "ascending"


def _different(entries: list[CompositeEntry]) -> list[CompositeEntry]:
    twice = _first_twice(entry.path for entry in entries)
    if twice:
        raise ValueError(f"has {quoted(twice)} twice; keep one")
    return entries


Composite = Annotated[
    list[CompositeEntry],
    Field(min_length=2, max_length=MOST_COMPOSITE_PROPERTIES),
    AfterValidator(_different),
]


class PolicyPlan(PolicyPart):
    """An indexing policy as the service describes one; the mode `none` would rule out time to live."""

    indexing_mode: Literal["consistent"] = "consistent"
    automatic: Literal[True] = True
    included_paths: list[PolicyPath] = Field(default=[])
    excluded_paths: list[PolicyPath] = Field(default=[])
    composite_indexes: Annotated[list[Composite], Field(max_length=MOST_COMPOSITE_INDEXES)] = Field(
        default=[]
    )

    @model_validator(mode="after")
    def _is_possible(self) -> "PolicyPlan":
        paths = [each.path for each in (*self.included_paths, *self.excluded_paths)]
        if ROOT not in paths:
            raise ValueError(
                f"has {ROOT} neither in includedPaths nor in excludedPaths; add it to one of them"
            )
        twice = _first_twice(paths)
        if twice:
            raise ValueError(f"has the path {quoted(twice)} twice; keep it in one place")
        size_bytes = len(json.dumps(self.model_dump(mode="json")))
        if size_bytes > MOST_POLICY_BYTES:
            raise ValueError(
                f"has {size_bytes:,} bytes as JSON, and may have {MOST_POLICY_BYTES:,}; shorten it"
            )
        return self


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _kind(value: Any) -> str | None:
    if isinstance(value, dict | PolicyPlan):
        return "[policy]"
    return "[word]" if value in (KEYS, ALL) else None


# A fault's place leaves out what is in brackets (`d2c.plan.model.fault_texts`).
IndexingPlan = Annotated[
    Annotated[Literal["keys", "all"], Tag("[word]")] | Annotated[PolicyPlan, Tag("[policy]")],
    Discriminator(
        _kind,
        custom_error_type="indexing",
        custom_error_message=f'should be "{KEYS}", "{ALL}" or an indexing policy',
    ),
]
