"""Offers: how throughput is provisioned.

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#provisioned-throughput
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from localcloud.cosmos.errors import CosmosError

DEFAULT_RU = 400
LEAST_RU = 400
LEAST_AUTOSCALE_RU = 1000
MOST_RU = 1_000_000
RU_PER_PARTITION = 10_000
# A new container gets a physical partition for each 6,000 RU/s begun; each carries up to 10,000 afterwards.
# https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
CREATED_RU_PER_PARTITION = 6_000


def offer_content(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the content of the offer that a create call asks for in its headers, or None.

    Raises:
        CosmosError: 400, if the throughput is impossible.
    """
    autoscale = headers.get("x-ms-cosmos-offer-autopilot-settings")
    manual = headers.get("x-ms-offer-throughput")
    try:
        if autoscale:
            return check_content({"offerAutopilotSettings": json.loads(autoscale)})
        return check_content({"offerThroughput": int(manual)}) if manual else None
    except ValueError as error:
        raise CosmosError(400, "The throughput in the headers is not one.") from error


def check_content(content: dict[str, Any]) -> dict[str, Any]:
    """Return an offer's content as the service keeps it.

    Raises:
        CosmosError: 400, if the throughput is impossible.
    """
    autoscale = content.get("offerAutopilotSettings")
    if autoscale is not None:
        most = autoscale.get("maxThroughput") if isinstance(autoscale, dict) else None
        if not isinstance(most, int) or not LEAST_AUTOSCALE_RU <= most <= MOST_RU or most % 1000:
            raise CosmosError(400, "Autoscale throughput must be from 1000 to 1000000 in increments of 1000.")
        return {"offerThroughput": most // 10, "offerAutopilotSettings": {"maxThroughput": most}}
    throughput = content.get("offerThroughput")
    if not isinstance(throughput, int) or not LEAST_RU <= throughput <= MOST_RU or throughput % 100:
        raise CosmosError(
            400,
            "The offer should have valid throughput values between 400 and 1000000 inclusive in increments of 100.",
        )
    return {"offerThroughput": throughput}


def ru_per_second(content: dict[str, Any]) -> int:
    """Return the RU/s that an offer allows."""
    autoscale = content.get("offerAutopilotSettings")
    return int(autoscale["maxThroughput"] if autoscale else content["offerThroughput"])


def with_history(content: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return an offer's content with what its container's past bounds: the highest RU/s ever, and the partitions.

    Args:
        content: from `check_content`.
        before: the offer's content until now, or None for a new one.
    """
    highest = max(ru_per_second(content), highest_ever(before) if before else 0)
    count = partitions(before, ru_per_second(content)) if before else _first_partitions(content)
    return {
        **content,
        "offerMinimumThroughputParameters": {"maxThroughputEverProvisioned": highest},
        "collectionThroughputInfo": {"numPhysicalPartitions": count},
    }


def highest_ever(content: dict[str, Any]) -> int:
    """Return the highest RU/s that an offer's container ever had."""
    known = content.get("offerMinimumThroughputParameters", {})
    return int(known.get("maxThroughputEverProvisioned", ru_per_second(content)))


def minimum(content: dict[str, Any]) -> int:
    """Return the least RU/s that an offer can be changed to: a hundredth of the highest ever, a tenth for autoscale.

    The service also wants 1 RU/s for each GB stored; nobody stores 400 GB, where that would begin to tell, in here.
    """
    highest = highest_ever(content)
    if content.get("offerAutopilotSettings"):
        return max(LEAST_AUTOSCALE_RU, math.ceil(highest / 10_000) * 1000)
    return max(LEAST_RU, math.ceil(highest / 10_000) * 100)


def check_change(content: dict[str, Any], before: dict[str, Any]) -> None:
    """Refuse a change that the service would refuse.

    Raises:
        CosmosError: 400.
    """
    kinds = ["offerAutopilotSettings" in each for each in (content, before)]
    if kinds[0] != kinds[1]:
        kind = "autoscale" if kinds[0] else "manually provisioned"
        raise CosmosError(
            400,
            f"Updating offer to {kind} throughput is not allowed. Please invoke migration API to migrate this offer.",
        )
    least = minimum(before)
    if ru_per_second(content) < least:
        raise CosmosError(
            400,
            f"The offer should have valid throughput values between {least} and {MOST_RU} inclusive in increments of "
            f"{1000 if kinds[0] else 100}.",
        )


def partitions(content: dict[str, Any], wanted_ru_per_second: int = 0) -> int:
    """Return how many physical partitions an offer's container has: split for throughput, never merged.

    Args:
        content: the offer's.
        wanted_ru_per_second: what they are to carry from now on.
    """
    has = int(content.get("collectionThroughputInfo", {}).get("numPhysicalPartitions", 1))
    return max(has, math.ceil(max(highest_ever(content), wanted_ru_per_second) / RU_PER_PARTITION))


def _first_partitions(content: dict[str, Any]) -> int:
    return math.ceil(ru_per_second(content) / CREATED_RU_PER_PARTITION)
