"""Throughput of containers and databases: what may be asked for, and what takes its time.

A new container has a physical partition for each 6,000 RU/s begun. Up to the 10,000 RU/s that each carries, a change is
instant; beyond that they are split first, which takes the service hours and this machine a set number of seconds.
https://learn.microsoft.com/azure/cosmos-db/scaling-provisioned-throughput-best-practices
"""

import asyncio
import logging
import time
from typing import Any

from localcloud.arm.errors import ArmError
from localcloud.cosmos.errors import CosmosError
from localcloud.cosmos.management_plane.data_plane_client import DataPlaneClient
from localcloud.cosmos.management_plane.store import ManagementStore
from localcloud.cosmos.storage import throughput

POLL_SECONDS = 0.1
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#control-plane
MOST_UPDATES = 25
UPDATES_SECONDS = 300

Json = dict[str, Any]
log = logging.getLogger(__name__)


class Scaler:
    """Changes throughput.

    Args:
        plane: the account's data plane.
        store: remembers what is to come.
        seconds: how long it takes to split partitions.
        most_updates: how many updates of throughput the account takes in five minutes.
    """

    def __init__(
        self,
        plane: DataPlaneClient,
        store: ManagementStore,
        seconds: float,
        most_updates: int = MOST_UPDATES,
    ) -> None:
        self._plane = plane
        self._store = store
        self._seconds = seconds
        self._most_updates = most_updates

    def count_update(self) -> None:
        """Count an update of throughput, whether or not it will be carried out.

        Raises:
            ArmError: 429, if the account has had as many as it takes.
        """
        now = time.time()
        recent = self._store.updates_since(now - UPDATES_SECONDS)
        if len(recent) >= self._most_updates:
            wait = max(1, round(recent[-self._most_updates] + UPDATES_SECONDS - now))
            raise ArmError(
                429,
                "TooManyRequests",
                "The request rate is too large: the account's throughput was updated "
                f"{self._most_updates} times within 5 minutes. Please retry after {wait} seconds.",
                retry_after_seconds=wait,
            )
        self._store.add_update()

    async def change(self, resource: Json, wanted: Json) -> None:
        """Change throughput now, or note it if partitions have to be split before.

        Args:
            resource: a container or a database, as the data plane describes it.
            wanted: ``throughput`` or ``autoscaleSettings``, as the management plane has it.

        Raises:
            ArmError: 400 if the service would refuse it, 404 if it has no throughput of its own.
        """
        offer = await self._offer(resource)
        try:
            content = throughput.check_content(offer_content(wanted))
            throughput.check_change(content, offer["content"])
        except CosmosError as error:
            raise ArmError(400, "BadRequest", error.message) from error
        instant = throughput.partitions(offer["content"]) * throughput.RU_PER_PARTITION
        if self._seconds and throughput.ru_per_second(content) > instant:
            self._store.set_scaling(resource["_rid"], content, time.time() + self._seconds)
            return
        self._store.end_scaling(resource["_rid"])
        await self._plane.put(("offers", offer["id"]), {**offer, "content": content})

    async def describe(self, resource: Json) -> Json:
        """Return the throughput settings of a container or a database as the management plane reports them.

        Raises:
            ArmError: 404 if it has no throughput of its own.
        """
        offer = await self._offer(resource)
        coming = self._store.scalings().get(resource["_rid"])
        now = coming.content if coming else offer["content"]
        least = throughput.minimum(offer["content"])
        carried = throughput.partitions(offer["content"]) * throughput.RU_PER_PARTITION
        settings: Json = {
            "throughput": now["offerThroughput"],
            "minimumThroughput": str(least),
            "instantMaximumThroughput": str(carried),
            "softAllowedMaximumThroughput": str(throughput.MOST_RU),
        }
        if autoscale := now.get("offerAutopilotSettings"):
            settings["autoscaleSettings"] = {"maxThroughput": autoscale["maxThroughput"]}
        if coming:
            settings["offerReplacePending"] = "true"
        return settings | {name: offer[name] for name in ("_rid", "_etag", "_ts") if name in offer}

    async def run(self) -> None:
        """Bring throughput that is due to its containers, for as long as the service runs."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for coming in self._store.scalings().values():
                if coming.due <= time.time():
                    try:
                        await self._bring(coming.container, coming.content)
                    except ArmError as error:
                        log.warning("throughput of container %s is tried again: %s", coming.container, error)

    async def _bring(self, container: str, content: Json) -> None:
        offer = await self._plane.offer_of(container)
        if offer is not None:
            await self._plane.put(("offers", offer["id"]), {**offer, "content": content})
        self._store.end_scaling(container)

    async def _offer(self, resource: Json) -> Json:
        """Return the offer of a container or a database.

        Raises:
            ArmError: 404, if it has none. https://github.com/Azure/azure-powershell/issues/11290
        """
        offer = await self._plane.offer_of(resource["_rid"])
        if offer is None:
            raise ArmError(404, "NotFound", "Entity with the specified id does not exist in the system.")
        return offer


def offer_content(wanted: Json) -> Json:
    """Return the content of an offer for throughput as the management plane has it.

    Raises:
        ArmError: 400, unless it is either manual throughput or an autoscale maximum.
    """
    match wanted:
        case {"throughput": int(manual), **others} if not others:
            return {"offerThroughput": manual}
        case {"autoscaleSettings": {"maxThroughput": int(most), **within}, **others} if not (
            within or others
        ):
            return {"offerAutopilotSettings": {"maxThroughput": most}}
    raise ArmError(
        400, "BadRequest", f"Either throughput or autoscaleSettings.maxThroughput is required, not {wanted}."
    )
