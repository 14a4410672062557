"""Connections to Azure that stay open, one for each thread that may call at once."""

from typing import Any

from azure.core.pipeline.transport import RequestsTransport

from d2c.clients.threads import THREADS


def pooled_transport(**seconds: Any) -> RequestsTransport:
    """Return a transport for a client that many threads share.

    `requests` keeps ten connections to a service: whatever answers beside them is closed afterwards, and the next call
    pays for a TLS handshake, and on Azure for a port of the instance.
    https://learn.microsoft.com/azure/azure-functions/manage-connections

    Args:
        seconds: the time limits of `d2c.clients.retries`.
    """
    # Importing it delays the start of a worker.
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=THREADS))
    return RequestsTransport(session=session, **seconds)
