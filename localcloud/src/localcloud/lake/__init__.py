"""The local lake: Azurite's blob service."""

ACCOUNT = "devstoreaccount1"


def connection_string(url: str, key: str) -> str:
    """Return the connection string of the local lake.

    Args:
        url: Azurite's address.
        key: the account's key, base64.
    """
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={url}/{ACCOUNT};"
    )
