"""The local lake: Azurite's blobs and queues."""

from collections.abc import Mapping

ACCOUNT = "devstoreaccount1"


def connection_string(url: str, key: str, others: Mapping[str, str] | None = None) -> str:
    """Return the connection string of an account of Azurite.

    Args:
        url: the address of its blobs.
        key: the account's key, base64.
        others: the addresses of its ``Queue`` and ``Table`` endpoints, of those that it has.
    """
    endpoints = {"Blob": url, **(others or {})}
    places = "".join(f"{kind}Endpoint={address}/{ACCOUNT};" for kind, address in endpoints.items())
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};{places}"
