"""Offers: how throughput is provisioned.

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#provisioned-throughput
"""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.cosmos.errors import CosmosError

DEFAULT_RU = 400


def offer_content(headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the content of the offer that a create call asks for in its headers, or None.

    Raises:
        CosmosError: 400, if the throughput is impossible.
    """
    autoscale = headers.get("x-ms-cosmos-offer-autopilot-settings")
    manual = headers.get("x-ms-offer-throughput")
    if autoscale:
        return check_content({"offerAutopilotSettings": json.loads(autoscale)})
    return check_content({"offerThroughput": int(manual)}) if manual else None


def check_content(content: dict[str, Any]) -> dict[str, Any]:
    """Return an offer's content as the service keeps it.

    Raises:
        CosmosError: 400, if the throughput is impossible.
    """
    autoscale = content.get("offerAutopilotSettings")
    if autoscale:
        most = autoscale.get("maxThroughput", 0)
        if not 1000 <= most <= 1_000_000 or most % 1000:
            raise CosmosError(400, "Autoscale throughput must be from 1000 to 1000000 in increments of 1000.")
        return {"offerThroughput": most // 10, "offerAutopilotSettings": {"maxThroughput": most}}
    throughput = content.get("offerThroughput")
    if not isinstance(throughput, int) or not 400 <= throughput <= 1_000_000 or throughput % 100:
        raise CosmosError(
            400,
            "The offer should have valid throughput values between 400 and 1000000 inclusive in increments of 100.",
        )
    return {"offerThroughput": throughput}


def ru_per_second(content: dict[str, Any]) -> int:
    """Return the RU/s that an offer allows."""
    autoscale = content.get("offerAutopilotSettings")
    return int(autoscale["maxThroughput"] if autoscale else content["offerThroughput"])
