"""The identities of an AWS account, as the product's own CloudFormation template makes them.

So what the local cloud enforces is what a deployment grants. Of the template's functions those are understood that it
uses; any other is refused by name.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from localcloud.aws.iam.policies import check_policy

PARTITION = "aws"
VARIABLE = re.compile(r"\$\{([\w:.]+)\}")
NO_VALUE = object()

Json = dict[str, Any]


class StackError(Exception):
    """A template that cannot be carried out here; the text says why."""


@dataclass(frozen=True)
class Role:
    """A role: who may take it on, for how long, and what it allows."""

    arn: str
    longest_session_seconds: int
    trust: Json
    policies: list[Json]


@dataclass
class Account:
    """The roles of an account by ARN, and the audiences of its identity providers by issuer."""

    number: str
    roles: dict[str, Role] = field(default_factory=dict)
    audiences: dict[str, list[str]] = field(default_factory=dict)


def load_account(template: Path, number: str, parameters: Mapping[str, str]) -> Account:
    """Return what a stack of the template makes in an account.

    Args:
        template: the CloudFormation template.
        number: the account's 12 digits.
        parameters: values of the template's parameters, in place of their defaults.

    Raises:
        StackError: if a parameter has no value, or something of the template is not understood here.
    """
    content = yaml.load(template.read_text(), _Loader)  # noqa: S506 - it is a SafeLoader
    values = _Values(content, number, parameters)
    account, names = Account(number), {}
    resources = {
        name: resource for name, resource in content["Resources"].items() if values.has_place(resource)
    }
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::OIDCProvider":
            properties = values.of(resource["Properties"])
            account.audiences[properties["Url"]] = properties["ClientIdList"]
        if resource["Type"] == "AWS::IAM::Role":
            role = _role(values.of(resource["Properties"]), number)
            account.roles[role.arn], names[name] = role, role
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::RolePolicy":
            policy = values.of(resource["Properties"]["PolicyDocument"])
            names[resource["Properties"]["RoleName"]["Ref"]].policies.append(policy)
    for role in account.roles.values():
        for policy in (role.trust, *role.policies):
            check_policy(policy)
    return account


def _role(properties: Json, number: str) -> Role:
    trust = properties["AssumeRolePolicyDocument"]
    return Role(
        arn=f"arn:{PARTITION}:iam::{number}:role/{properties['RoleName']}",
        longest_session_seconds=int(properties["MaxSessionDuration"]),
        trust=json.loads(trust) if isinstance(trust, str) else trust,
        policies=[policy["PolicyDocument"] for policy in properties["Policies"]],
    )


class _Loader(yaml.SafeLoader):
    """Reads ``!Function value`` as ``{"Function": value}``."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    raise StackError(f"!{suffix} has a mapping, which is not understood here.")


_Loader.add_multi_constructor("!", _function)


class _Values:
    """Puts values in the place of the template's functions."""

    def __init__(self, template: Json, number: str, parameters: Mapping[str, str]) -> None:
        self._parameters: dict[str, Any] = {
            "AWS::Partition": PARTITION,
            "AWS::AccountId": number,
            "AWS::NoValue": NO_VALUE,
        }
        for name, declared in template["Parameters"].items():
            value = parameters.get(name, declared.get("Default"))
            if value is None:
                raise StackError(f"The template's parameter {name} has no value.")
            is_list = declared["Type"] == "CommaDelimitedList"
            self._parameters[name] = value.split(",") if is_list else value
        unknown = parameters.keys() - template["Parameters"].keys()
        if unknown:
            raise StackError(f"The template has no parameter {', '.join(sorted(unknown))}.")
        self._conditions = template.get("Conditions", {})
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Sub": lambda text: VARIABLE.sub(lambda found: str(self._ref(found[1])), text),
            "Condition": lambda name: self.of(self._conditions[name]),
            "Equals": lambda pair: self.of(pair[0]) == self.of(pair[1]),
            "Not": lambda one: not self.of(one[0]),
            "And": lambda several: all(self.of(one) for one in several),
            "If": lambda three: self.of(three[1] if self.of(self._conditions[three[0]]) else three[2]),
            "Join": lambda pair: str(pair[0]).join(self.of(pair[1])),
        }

    def has_place(self, resource: Json) -> bool:
        """Return whether a resource's condition holds."""
        return "Condition" not in resource or bool(self.of({"Condition": resource["Condition"]}))

    def of(self, part: Any) -> Any:
        """Return a part of the template with nothing left to evaluate."""
        if isinstance(part, list):
            return [value for value in map(self.of, part) if value is not NO_VALUE]
        if not isinstance(part, dict):
            return part
        if len(part) == 1:
            ((name, argument),) = part.items()
            # A policy statement's own Condition is a mapping; the function's is a condition's name.
            if name in self._functions and not (name == "Condition" and isinstance(argument, dict)):
                return self._functions[name](argument)
            if name in ("GetAtt", "Select", "Split", "ImportValue", "FindInMap", "Or"):
                raise StackError(f"The template's function {name} is not understood here.")
        return {name: value for name, value in _items(part, self.of) if value is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name not in self._parameters:
            raise StackError(f"The template's {name} is no parameter, and not understood here.")
        return self._parameters[name]


def _items(part: Json, evaluate: Callable[[Any], Any]) -> Sequence[tuple[str, Any]]:
    return [(name, evaluate(value)) for name, value in part.items()]
