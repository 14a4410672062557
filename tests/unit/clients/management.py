"""Management clients whose requests end at a stub, and the answers that they need."""

from typing import Any

from azure.core.pipeline.policies import RetryPolicy

from d2c.clients.azure.sign_in import management_arguments

from .http import StubService
from .outside import SignedIn
from .settings import local_settings


def management_client(kind: Any, service: StubService) -> Any:
    arguments = management_arguments(local_settings())
    changed = {
        "credential": SignedIn(),
        "retry_policy": RetryPolicy(retry_total=0),
        "transport": service.transport,
        "polling_interval": 0,
    }
    return kind(**arguments | changed)


def refusal(code: str, message: str = "because") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
