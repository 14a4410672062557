"""How often and how long each SDK tries a call: seconds, for what waits longer is an orchestration.

| SDK | tries | pauses between them | answer of nobody |
|---|---|---|---|
| azure-storage-blob, azure-storage-queue | 3 | 0.5 to 3.5 s | 2 times 15 s |
| azure-core, azure-mgmt-* | 3 | 0 and 0.8 s, or `Retry-After` up to 5 s | 2 times 20 s |
| azure-identity | 3 | 0 and 0.8 s, or `Retry-After`, of which 5 s are waited | 2 times 20 s |
| azure-cosmos | 3 | 1 s | 2 times 15 s |
| boto3 | 3 | up to 3 s in all | 3 times 15 s |
| databricks-sdk | for 10 s | 1 s more each time, at most 5 s | 15 s each |

A longer `Retry-After` ends the call: the error says so, and the orchestration comes back later. Webhooks are sent once
(`d2c.clients.webhook`); the outbox repeats them.
"""

from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

from d2c.clients.threads import THREADS

TRIES = 3
CONNECT_SECONDS = 5
READ_SECONDS = 15
# Data Factory and Resource Manager take longer over a list.
MANAGEMENT_READ_SECONDS = 20
LONGEST_PAUSE_SECONDS = 5

_AZURE: dict[str, Any] = {
    "retry_total": TRIES - 1,
    # A connection that was reset, or a service that does not answer, is tried once more.
    "retry_read": 1,
    "connection_timeout": CONNECT_SECONDS,
}
# azure-storage-blob has a policy of its own, whose first pause is 15 s unless these say otherwise; it does not know
# `retry_backoff_factor`.
STORAGE = {
    **_AZURE,
    "read_timeout": READ_SECONDS,
    "initial_backoff": 0.5,
    "increment_base": 1,
    "random_jitter_range": 2,
}
CORE = {**_AZURE, "read_timeout": MANAGEMENT_READ_SECONDS, "retry_backoff_factor": 0.4}
COSMOS = {
    **_AZURE,
    "retry_connect": 1,
    "read_timeout": READ_SECONDS,
    # In place of the service's own, which may be as long as it likes.
    "retry_fixed_interval": 1000,
}
AWS: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": TRIES},
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    # Ten otherwise: as many lanes as a plan may have ask at once.
    "max_pool_connections": THREADS,
}
DATABRICKS: dict[str, Any] = {"http_timeout_seconds": READ_SECONDS, "retry_timeout_seconds": 10}


class ShortRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's policy, but for a service that asks for a longer pause than a call may make.

    azure-core sleeps for as long as `Retry-After` says; Resource Manager asks for up to five minutes.
    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """

    def increment(self, settings: dict[str, Any], response: Any = None, error: Any = None) -> bool:
        """Return whether the call is tried again."""
        answered = error is None and isinstance(response, PipelineResponse)
        if answered and (self.get_retry_after(response) or 0) > LONGEST_PAUSE_SECONDS:
            return False
        return super().increment(settings, response, error)
