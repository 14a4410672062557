"""What the parts of the local cloud are called; every service and every setting takes it from here."""

LOOPBACK = "127.0.0.1"
AWS_REGION = "eu-west-1"
AWS_ACCOUNT = "123456789012"
# Another account, whose tables are exported to the first one's bucket.
OTHER_AWS_ACCOUNT = "210987654321"
AWS_ROLE = "d2c"
AWS_SESSION_SECONDS = 43_200
TENANT_ID = "0f0f0f0f-1111-4222-8333-444444444444"
APP_OBJECT_ID = "0a0b0c0d-5555-4666-8777-888888888888"
TOKEN_AUDIENCE = "api://00000000-0000-0000-0000-0000000000d2"  # noqa: S105 - an address, not a secret
EXPORT_PREFIX = "d2c"
EXPORT_BUCKET = "d2c-exports"
LAKE_FILE_SYSTEM = "lake"
SUBSCRIPTION_ID = "11111111-2222-3333-4444-555555555555"
RESOURCE_GROUP = "local"
DATA_FACTORY = "local-factory"
COSMOS_ACCOUNT = "local-cosmos"
# No vault of the local cloud has an address: its secrets are in Data Factory's environment.
KEY_VAULT_URL = "https://local-vault.vault.azure.net/"
LIBRARIES = "/Volumes/main/d2c/libraries"
# The external volume of the lake's folder with exports.
EXPORTS_VOLUME = "/Volumes/main/d2c/exports"
NOTEBOOK_PATH = "/Shared/d2c/load_table"
SECRET_SCOPE = "d2c"  # noqa: S105 - a name, not a secret
# The cluster that is always there, for runs that name an existing one.
EXISTING_CLUSTER_ID = "0101-000000-local000"
