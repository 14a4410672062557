"""What IAM policies allow, by AWS's rules; a policy with a part that is not understood here is refused.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

Json = dict[str, Any]
Context = Mapping[str, str]

STATEMENT_FIELDS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
OPERATORS = ("StringEquals", "StringLike", "ArnLike")


class PolicyError(Exception):
    """A policy that IAM would refuse, or that is not understood here."""


def check_policy(policy: Any) -> None:
    """Hold a policy to what is understood here.

    Raises:
        PolicyError: if it is something else.
    """
    if not isinstance(policy, dict) or policy.get("Version") != "2012-10-17":
        raise PolicyError("it is no object of the version 2012-10-17")
    for statement in _listed(policy.get("Statement", [])):
        unknown = statement.keys() - STATEMENT_FIELDS
        if unknown or statement.get("Effect") not in ("Allow", "Deny") or not statement.get("Action"):
            raise PolicyError(
                f"a statement has no effect or action, or {', '.join(unknown) or 'nothing else'}"
            )
        for operator in statement.get("Condition", {}):
            if operator not in OPERATORS:
                raise PolicyError(f"the condition {operator} is not understood here")


def allows(policies: Iterable[Json], action: str, resource: str, context: Context) -> bool:
    """Return whether a statement allows an action and none denies it.

    Args:
        policies: checked by `check_policy`.
        action: such as ``s3:GetObject``.
        resource: an ARN, or ``*`` of an action that knows no single resources.
        context: values of condition keys, such as ``s3:prefix``.
    """
    effects = {
        statement["Effect"]
        for statement in _statements(policies)
        if _is_met(statement, action, resource, context)
    }
    return effects == {"Allow"}


def actions_of(policies: Iterable[Json]) -> set[str]:
    """Return the actions that policies allow, as they are written there."""
    return {
        action
        for statement in _statements(policies)
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
    }


def _statements(policies: Iterable[Json]) -> Iterator[Json]:
    for policy in policies:
        yield from _listed(policy["Statement"])


def _is_met(statement: Json, action: str, resource: str, context: Context) -> bool:
    # IAM reads actions in any case of letters, and all else as it is written.
    of_action = any(matches(one.lower(), action.lower()) for one in _listed(statement["Action"]))
    of_resource = any(matches(one, resource) for one in _listed(statement.get("Resource", "*")))
    return of_action and of_resource and _conditions_hold(statement.get("Condition", {}), context)


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            value = context.get(key)
            if value is None or not any(_equals(operator, one, value) for one in _listed(wanted)):
                return False
    return True


def _equals(operator: str, wanted: str, value: str) -> bool:
    return wanted == value if operator == "StringEquals" else matches(wanted, value)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text is like a pattern, in which ``*`` stands for any characters and ``?`` for one."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
