"""The call about the Cosmos DB account itself.

https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/database-accounts/get
"""

from localcloud.arm.server import Answer, Call, Route
from localcloud.cosmos.management_plane.container_calls import ACCOUNT
from localcloud.cosmos.management_plane.data_plane_client import DataPlaneClient

LOCATION = "West Europe"


class AccountCalls:
    """Answers the call.

    Args:
        plane: the account's data plane, whose answer shows that the account is there.
        endpoint: the data plane's address.
    """

    def __init__(self, plane: DataPlaneClient, endpoint: str) -> None:
        self._plane = plane
        self._endpoint = endpoint

    def routes(self) -> list[Route]:
        """Return the operations."""
        return [Route("GetAccount", "GET", ACCOUNT, self.get_account)]

    async def get_account(self, call: Call) -> Answer:
        """Return the account: with provisioned throughput, in one region, without a limit of its own."""
        await self._plane.get()
        place = {
            "id": f"{call.names['account']}-westeurope",
            "locationName": LOCATION,
            "documentEndpoint": self._endpoint,
            "provisioningState": "Succeeded",
            "failoverPriority": 0,
            "isZoneRedundant": False,
        }
        return Answer(
            {
                "id": call.path,
                "name": call.names["account"],
                "location": LOCATION,
                "type": "Microsoft.DocumentDB/databaseAccounts",
                "kind": "GlobalDocumentDB",
                "tags": {},
                "properties": {
                    "provisioningState": "Succeeded",
                    "documentEndpoint": self._endpoint,
                    "publicNetworkAccess": "Enabled",
                    "enableFreeTier": False,
                    "enableMultipleWriteLocations": False,
                    "databaseAccountOfferType": "Standard",
                    "capacity": {"totalThroughputLimit": -1},
                    "capabilities": [],
                    "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
                    "writeLocations": [place],
                    "readLocations": [place],
                    "locations": [place],
                },
            }
        )
