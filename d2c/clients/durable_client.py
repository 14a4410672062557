"""Durable's client with what the SDK's leaves out: every page of a query, and a second try of a call.

azure-functions-durable 1.7 returns the first 100 instances of a query and does not follow the continuation token. Its
calls share one session, which any failed call closes under the others (``models.utils.http_utils``).
"""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from azure.durable_functions import DurableOrchestrationClient
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus
from azure.durable_functions.models.OrchestrationRuntimeStatus import OrchestrationRuntimeStatus

from d2c.clients.threads import in_thread

# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api#get-all-instances-status
CONTINUATION = "x-ms-continuation-token"
INSTANCES_OF_A_PAGE = 1000
TIMEOUT_SECONDS = 60

if TYPE_CHECKING:
    import httpx

Result = TypeVar("Result")


class CompleteClient:
    """The client as `d2c.clients.durable.DurableClient` names its calls.

    Args:
        client: the SDK's.
    """

    def __init__(self, client: DurableOrchestrationClient) -> None:
        self._client = client

    async def get_status(self, instance_id: str, *, show_input: bool = False) -> Any:
        """Return an instance's status, which is falsy if there is no such instance."""
        return await twice(lambda: self._client.get_status(instance_id, show_input=show_input))

    async def get_status_by(
        self, *, runtime_status: list[OrchestrationRuntimeStatus], instance_id_prefix: str
    ) -> Sequence[Any]:
        """Return the statuses, without inputs, of all instances in some states."""
        # The client shows the address for calls from the same machine nowhere else.
        address = f"{self._client._orchestration_bindings.rpc_base_url}instances/"
        query = {
            "instanceIdPrefix": instance_id_prefix,
            "runtimeStatus": ",".join(state.value for state in runtime_status),
            "showInput": "false",
            "top": str(INSTANCES_OF_A_PAGE),
        }
        statuses = await twice(lambda: in_thread(all_pages, address, query))
        return [DurableOrchestrationStatus.from_json(status) for status in statuses]

    async def start_new(self, orchestration: str, *, instance_id: str, client_input: Any) -> str:
        """Start an instance."""
        return await twice(lambda: self._client.start_new(orchestration, instance_id, client_input))

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Terminate an instance."""
        await twice(lambda: self._client.terminate(instance_id, reason))

    async def raise_event(self, instance_id: str, event: str, data: Any) -> None:
        """Send an event to an instance."""
        await twice(lambda: self._client.raise_event(instance_id, event, data))

    def create_http_management_payload(self, instance_id: str) -> dict[str, str]:
        """Return Durable's own addresses of an instance, with its key."""
        links: dict[str, str] = self._client.create_http_management_payload(instance_id)
        return links


async def twice(call: Callable[[], Awaitable[Result]]) -> Result:
    """Return a call's result; one that the connection failed is called again, a refusal is not.

    The SDK raises a bare Exception for every refusal.
    """
    try:
        return await call()
    except Exception as error:
        if type(error) is Exception or isinstance(error, TimeoutError):
            raise
        return await call()


def all_pages(
    address: str, query: Mapping[str, str], client: "httpx.Client | None" = None
) -> list[dict[str, Any]]:
    """Return the instances of all pages of a query.

    Args:
        address: of all instances.
        query: which of them.
        client: makes the calls; the process's own if None.
    """
    http = client or _http()
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        headers = {CONTINUATION: token} if token else {}
        answer = http.get(address, params=dict(query), headers=headers).raise_for_status()
        found += answer.json()
        token = answer.headers.get(CONTINUATION, "")
        if not token:
            return found


@functools.cache
def _http() -> "httpx.Client":
    import httpx

    return httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)
