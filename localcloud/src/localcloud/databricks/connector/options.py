"""The options of a read or a write, checked as a whole before anything is called."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.databricks.connector import option_kinds
from localcloud.databricks.connector.errors import OptionError
from localcloud.databricks.connector.option_kinds import EXECUTED, FIXED, PREFIX, REFUSED, WITHOUT_EFFECT
from localcloud.databricks.connector.sign_in import AccountKey, ServicePrincipal, SignIn

REQUIRED = ("accountEndpoint", "database", "container")
# Every way to sign in asks for all options of at least one of these sets.
SIGN_IN: dict[str, tuple[tuple[str, ...], ...]] = {
    "MasterKey": (("accountKey",),),
    "ServicePrincipal": (
        ("account.tenantId", "auth.aad.clientId", "auth.aad.clientSecret"),
        ("account.tenantId", "auth.aad.clientId", "auth.aad.clientCertPemBase64"),
    ),
    "ManagedIdentity": (("account.tenantId",),),
    "AccessToken": (("accountDataResolverServiceName",),),
}
_KNOWN = {name.lower(): name for name in [*EXECUTED, *WITHOUT_EFFECT, *FIXED, *REFUSED]}


@dataclass(frozen=True)
class Options:
    """What a read or a write is to do; sizes in bytes, counts in operations or documents.

    ``fresh`` is whether a read sees what was written just before it, ``ru_per_second`` what throughput control gives
    it.
    """

    endpoint: str
    sign_in: SignIn
    database: str
    container: str
    strategy: str
    bulk: bool
    most_retries: int
    point_concurrency: int
    bulk_operations: int
    bulk_bytes: int
    bulk_pending_operations: int
    infer_schema: bool
    query: str | None
    page_documents: int
    partitioning: str
    partitions: int | None
    fresh: bool
    ru_per_second: int | None


def parse_options(given: Mapping[str, str]) -> Options:
    """Check all options and return what they ask for.

    Args:
        given: values by the connector's names, ``spark.cosmos.…``, in any case.

    Raises:
        OptionError: for an option that is unknown, impossible, missing, or not supported here.
    """
    values = dict(_checked(name, value) for name, value in given.items())
    _check_required(values)
    is_controlled = bool(values.get("throughputControl.enabled"))
    if is_controlled:
        _check_throughput_control(values)
    strategy = values.get("write.strategy", "ItemOverwrite")
    if strategy in option_kinds.REFUSED_STRATEGIES:
        raise OptionError(
            f"The write strategy {strategy} is not supported by the local cloud. "
            f"Use one of {', '.join(option_kinds.EXECUTED_STRATEGIES)}."
        )
    return Options(
        endpoint=values["accountEndpoint"],
        sign_in=_sign_in(values),
        database=values["database"],
        container=values["container"],
        strategy=strategy,
        bulk=values.get("write.bulk.enabled", True),
        most_retries=values.get("write.maxRetryCount", 10),
        point_concurrency=values.get("write.point.maxConcurrency", 8),
        bulk_operations=values.get("write.bulk.maxBatchSize", 100),
        bulk_bytes=values.get("write.bulk.targetedPayloadSizeInBytes", 220_201),
        bulk_pending_operations=values.get(
            "write.bulk.maxPendingOperations", option_kinds.PENDING_OPERATIONS
        ),
        infer_schema=values.get("read.inferSchema.enabled", True),
        query=values.get("read.customQuery"),
        page_documents=values.get("read.maxItemCount", 1000),
        partitioning=values.get("read.partitioning.strategy", "Default"),
        partitions=values.get("partitioning.targetedCount"),
        fresh=values.get("read.consistencyStrategy") in option_kinds.FRESH_STRATEGIES,
        ru_per_second=values["throughputControl.targetThroughput"] if is_controlled else None,
    )


def _checked(given_name: str, value: str) -> tuple[str, Any]:
    """Return an option's name as the connector spells it, without prefix, and its value."""
    name = _KNOWN.get(given_name.lower().removeprefix(PREFIX))
    if name is None or not given_name.lower().startswith(PREFIX):
        raise OptionError(f"The option {given_name} is not known.{_suggestion(given_name)}")
    if name in REFUSED:
        raise OptionError(
            f"The option {PREFIX}{name} is not supported by the local cloud. Leave it out here."
        )
    if name in FIXED:
        fixed = FIXED[name]
        if value.lower() != fixed.lower():
            raise OptionError(f"The local cloud supports {PREFIX}{name} with the value {fixed} only.")
        return name, value
    return name, option_kinds.read_value(name, {**EXECUTED, **WITHOUT_EFFECT}[name], value)


def _suggestion(name: str) -> str:
    near = difflib.get_close_matches(name.lower().removeprefix(PREFIX), _KNOWN, n=1)
    return f" Did you mean {PREFIX}{_KNOWN[near[0]]}?" if near else ""


def _check_required(values: Mapping[str, Any]) -> None:
    missing = [PREFIX + name for name in REQUIRED if name not in values]
    if missing:
        raise OptionError(f"These options are missing: {', '.join(missing)}.")


def _sign_in(values: Mapping[str, Any]) -> SignIn:
    kind = values.get("auth.type", "MasterKey")
    lacks = [[PREFIX + name for name in choice if name not in values] for choice in SIGN_IN[kind]]
    least = min(lacks, key=lambda names: len(names))
    if least:
        raise OptionError(f"To sign in with {kind} these options are missing: {', '.join(least)}.")
    if kind == "MasterKey":
        return AccountKey(values["accountKey"])
    secret = values.get("auth.aad.clientSecret")
    if kind != "ServicePrincipal" or secret is None:
        raise OptionError(
            f"The option {PREFIX}auth.type is {kind}, but the local cloud signs in with a service principal's secret "
            f"or a master key only. Set it to ServicePrincipal, with {PREFIX}auth.aad.clientSecret, or to MasterKey."
        )
    return ServicePrincipal(values["account.tenantId"], values["auth.aad.clientId"], secret)


def _check_throughput_control(values: Mapping[str, Any]) -> None:
    """Refuse what the connector would of throughput control, and what of it is not supported here."""
    start = f"{PREFIX}throughputControl."
    targets = ("targetThroughput", "targetThroughputThreshold", "throughputBucket", "priorityLevel")
    if "throughputControl.name" not in values:
        raise OptionError(f"The option {start}name is missing.")
    if not any(f"throughputControl.{name}" in values for name in targets):
        raise OptionError(f"One of these options is missing: {', '.join(start + name for name in targets)}.")
    if values.get("throughputControl.globalControl.useDedicatedContainer", True) and not {
        "throughputControl.globalControl.database",
        "throughputControl.globalControl.container",
    } <= set(values):
        raise OptionError(
            f"The options {start}globalControl.database and .container are missing. Set them, "
            f"or {start}globalControl.useDedicatedContainer to false."
        )
    if f"throughputControl.{targets[0]}" not in values or any(
        f"throughputControl.{name}" in values
        for name in (*targets[1:], "globalControl.database", "globalControl.container")
    ):
        raise OptionError(
            f"The local cloud supports throughput control by {start}targetThroughput only, with "
            f"{start}globalControl.useDedicatedContainer=false."
        )
