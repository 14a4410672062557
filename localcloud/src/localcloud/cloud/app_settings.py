"""The product's settings for the local cloud: the same code as on Azure, other endpoints and credentials."""

import json

from localcloud.cloud.identity import Identity
from localcloud.common import names
from localcloud.common.principals import APP, DEPLOYER, FACTORY, PRINCIPALS, SPARK, Principal
from localcloud.databricks.connector.sign_in import AUTHORITY
from localcloud.entra.server import IDENTITY_PATH
from localcloud.entra.tokens import KEYS_VARIABLE, public_keys
from localcloud.functions_host import BLOBS_WRITTEN
from localcloud.functions_host.extension import LAKE_CONNECTION, extension_program
from localcloud.lake import ACCOUNT, connection_string

# The stand-ins answer within milliseconds, so looking often costs little.
POLLING = {
    "D2C_POLL_FIRST_SECONDS": "0.1",
    "D2C_POLL_FACTOR": "1.25",
    "D2C_POLL_LONGEST_SECONDS": "2",
    "D2C_WATCH_SCHEDULE": "*/5 * * * * *",
    "D2C_METRICS_LAG_SECONDS": "0",
}
AWS_SECRET_NAME = "aws-secret-access-key"  # noqa: S105 - a name, not a secret


def lake_connection(identity: Identity) -> str:
    """Return the connection string of the local lake."""
    return connection_string(identity.url("lake"), identity.lake_key, {"Queue": identity.url("lake_queue")})


def lake_urls(identity: Identity, connection: str) -> dict[str, str]:
    """Return the settings of a connection to the lake with an identity, at the addresses that take tokens.

    Args:
        identity: the local cloud's.
        connection: the name that the settings begin with.
    """
    kinds = {"blob": "lake_tokens", "queue": "lake_queue_tokens"}
    return {
        f"{connection}__{kind}ServiceUri": f"{identity.url(port)}/{ACCOUNT}" for kind, port in kinds.items()
    }


def host_storage_connection(identity: Identity) -> str:
    """Return the connection string of the storage of the Functions host, which Microsoft's extension needs."""
    others = {"Queue": identity.url("host_storage_queue"), "Table": identity.url("host_storage_table")}
    return connection_string(identity.url("host_storage"), identity.host_storage_key, others)


def aws_environment(identity: Identity) -> dict[str, str]:
    """Return what boto3 needs to find local AWS, and nothing of the user's own: above all no access key."""
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return {
        "AWS_ENDPOINT_URL": identity.url("aws"),
        "AWS_REGION": names.AWS_REGION,
        "AWS_DEFAULT_REGION": names.AWS_REGION,
        **dict.fromkeys(keys, ""),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def identity_environment(identity: Identity, principal: Principal) -> dict[str, str]:
    """Return what App Service gives an app with a managed identity, and nothing of the user's own sign-ins."""
    return {
        "IDENTITY_ENDPOINT": identity.url("entra") + IDENTITY_PATH,
        "IDENTITY_HEADER": identity.credential(principal),
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "AZURE_CLIENT_ID": principal.client_id,
    }


def stack_parameters() -> dict[str, dict[str, str]]:
    """Return the parameters of the CloudFormation template in each account."""
    shared = {
        "EntraTenantId": names.TENANT_ID,
        "TokenAudience": names.TOKEN_AUDIENCE,
        "AppObjectId": names.APP_OBJECT_ID,
        "RoleName": names.AWS_ROLE,
        "LongestSessionSeconds": str(names.AWS_SESSION_SECONDS),
        "ExportBucketName": names.EXPORT_BUCKET,
        "ExportPrefix": names.EXPORT_PREFIX,
    }
    return {
        names.AWS_ACCOUNT: {**shared, "ExportingAccounts": names.OTHER_AWS_ACCOUNT},
        names.OTHER_AWS_ACCOUNT: {**shared, "CreateBucket": "no"},
    }


def app_settings(identity: Identity) -> dict[str, str]:
    """Return the function app's environment."""
    return {
        **aws_environment(identity),
        **identity_environment(identity, APP),
        "D2C_AWS_ROLES": json.dumps(
            {account: f"arn:aws:iam::{account}:role/{names.AWS_ROLE}" for account in stack_parameters()}
        ),
        "D2C_AWS_ACCOUNT": names.AWS_ACCOUNT,
        "D2C_AWS_TOKEN_AUDIENCE": names.TOKEN_AUDIENCE,
        "D2C_AWS_SESSION_SECONDS": str(names.AWS_SESSION_SECONDS),
        "D2C_EXPORT_BUCKET": names.EXPORT_BUCKET,
        "D2C_EXPORT_BUCKET_OWNER": names.AWS_ACCOUNT,
        "D2C_EXPORT_PREFIX": names.EXPORT_PREFIX,
        "D2C_LAKE": "",
        **lake_urls(identity, "D2C_LAKE"),
        # By this Data Factory and Spark know it; the addresses above say nothing of that.
        "D2C_LAKE__dfsServiceUri": f"https://{ACCOUNT}.dfs.core.windows.net/",
        "D2C_LAKE_FILE_SYSTEM": names.LAKE_FILE_SYSTEM,
        "AZURE_SUBSCRIPTION_ID": names.SUBSCRIPTION_ID,
        "D2C_RESOURCE_GROUP": names.RESOURCE_GROUP,
        "D2C_DATA_FACTORY": names.DATA_FACTORY,
        "D2C_MANAGEMENT_ENDPOINT": identity.url("management"),
        "D2C_COSMOS_ACCOUNT": names.COSMOS_ACCOUNT,
        "D2C_COSMOS_ENDPOINT": identity.url("cosmos"),
        "DATABRICKS_HOST": identity.url("databricks"),
        "DATABRICKS_TOKEN": identity.databricks_token,
        "D2C_NOTEBOOK_PATH": names.NOTEBOOK_PATH,
        "D2C_WHEEL_PATH": names.LIBRARIES,
        # One cluster for all tables: starting one for each would take longer here than loading them.
        "D2C_CLUSTER": json.dumps({"existing_cluster_id": names.EXISTING_CLUSTER_ID}),
        "D2C_SECRET_SCOPE": names.SECRET_SCOPE,
        **POLLING,
    }


def spark_secrets(identity: Identity) -> dict[str, str]:
    """Return what a load run signs in to Cosmos DB with, as docs/install/deploy.md has it put into the workspace."""
    return {
        "tenant-id": names.TENANT_ID,
        "cosmos-client-id": SPARK.client_id,
        "cosmos-client-secret": identity.credential(SPARK),
    }


def service_environment(service: str, identity: Identity) -> dict[str, str]:
    """Return the environment of one of the local cloud's services: its secrets, and how it finds the others."""
    lake = lake_urls(identity, "LOCALCLOUD_LAKE")
    token_keys = {KEYS_VARIABLE: json.dumps(public_keys(identity.token_signing_key))}
    environments: dict[str, dict[str, str]] = {
        "entra": {
            "LOCALCLOUD_TOKEN_SIGNING_KEY": identity.token_signing_key,
            "LOCALCLOUD_CREDENTIALS": json.dumps(
                {principal.client_id: identity.credential(principal) for principal in PRINCIPALS}
            ),
            # By its address here the management API is known to the tenant, too, as it is by those of other clouds.
            "LOCALCLOUD_RESOURCES": json.dumps([identity.url("management")]),
        },
        "aws": {
            "LOCALCLOUD_AWS_SECRET_KEY": identity.aws_secret_key,
            "LOCALCLOUD_AWS_STACKS": json.dumps(stack_parameters()),
            **token_keys,
        },
        "lake": {
            **token_keys,
            "LOCALCLOUD_LAKE_KEY": identity.lake_key,
            "LOCALCLOUD_LAKE_LISTENER": identity.url("functions_host") + BLOBS_WRITTEN,
        },
        "cosmos": {**token_keys, "LOCALCLOUD_COSMOS_KEY": identity.cosmos_key},
        "management": {
            **identity_environment(identity, FACTORY),
            **lake,
            **token_keys,
            "LOCALCLOUD_COSMOS_KEY": identity.cosmos_key,
            "LOCALCLOUD_VAULT": json.dumps({AWS_SECRET_NAME: identity.aws_secret_key}),
        },
        "databricks": {
            **identity_environment(identity, SPARK),
            **lake,
            "LOCALCLOUD_DATABRICKS_TOKEN": identity.databricks_token,
            "LOCALCLOUD_SECRETS": json.dumps({names.SECRET_SCOPE: spark_secrets(identity)}),
            AUTHORITY: identity.url("entra"),
        },
        "host_storage": {"LOCALCLOUD_HOST_STORAGE_KEY": identity.host_storage_key},
        "functions_host": {
            **app_settings(identity),
            "LOCALCLOUD_DURABLE_KEY": identity.durable_key,
            **({LAKE_CONNECTION: lake_connection(identity)} if extension_program() else {}),
            "AzureWebJobsStorage": host_storage_connection(identity),
        },
    }
    return environments[service]


def deployment_settings(identity: Identity) -> dict[str, str]:
    """Return the environment of `d2c deploy`: the app's, and what Data Factory is to know of its surroundings."""
    return {
        **app_settings(identity),
        **identity_environment(identity, DEPLOYER),
        "D2C_S3_SERVICE_URL": identity.url("aws"),
        "D2C_AWS_ACCESS_KEY_ID": identity.aws_key_id,
        "D2C_KEY_VAULT_URL": names.KEY_VAULT_URL,
    }
