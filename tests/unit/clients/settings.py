"""Settings of the local cloud's kind, for clients that are connected by them."""

from d2c.app.settings import REQUIRED, Settings, read_settings

SECRETS = {
    "D2C_COSMOS_KEY": "Y29zbW9zLXNlY3JldC1rZXk=",
    "DATABRICKS_TOKEN": "dapi-secret-token",
}


def local_settings(**changes: str) -> Settings:
    return read_settings(
        {
            **dict.fromkeys(REQUIRED, "x"),
            "D2C_LAKE__blobServiceUri": "https://lakeaccount.blob.core.windows.net",
            "D2C_CLUSTER": '{"existing_cluster_id": "0601-1"}',
            "D2C_MANAGEMENT_ENDPOINT": "https://127.0.0.1:9",
            "D2C_COSMOS_ENDPOINT": "http://127.0.0.1:9/",
            **SECRETS,
            **changes,
        }
    )
