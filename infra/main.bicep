// Everything that a deployment of d2c needs on Azure, in one resource group. `azd up` takes the parameters from
// main.bicepparam.
targetScope = 'subscription'

import { redundancy } from 'modules/types.bicep'

@description('Becomes part of all names; azd knows the deployment by it.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('The region of everything that is created.')
param location string

@description('The resource group; rg-<environment> if empty. An existing Cosmos DB account must be in it.')
param resourceGroupName string = ''

@description('False if the resource group is there already.')
param createResourceGroup bool = true

@description('An existing Cosmos DB account in the resource group; one is created if empty.')
param existingCosmosAccount string = ''

@description('An existing Databricks workspace in the resource group; one is created if empty.')
param existingDatabricksWorkspace string = ''

@description('The id (a GUID) of a role with the actions of custom.runsCopies in roles.json; one is created if empty.')
param copyRole string = ''

@description('The id (a GUID) of a role with the actions of custom.managesContainers in roles.json; one is created if empty.')
param containerRole string = ''

@description('False to let Data Factory and Spark write anywhere in the lake\'s file system.')
param lakePathConditions bool = true

@description('The redundancy of both storage accounts; not every region has Standard_ZRS.')
param storageSku redundancy = 'Standard_ZRS'

@description('True to create a key vault, also where copies need none.')
param createKeyVault bool = false

@description('True to bring back the vault that a deleted deployment has left behind.')
param recoverKeyVault bool = false

@description('The S3 bucket that DynamoDB exports to.')
param exportBucket string

@description('The key prefix of exports (D2C_EXPORT_PREFIX).')
param exportPrefix string = ''

@description('The KMS key that exports are encrypted with (D2C_EXPORT_KMS_KEY); S3\'s own if empty.')
param exportKmsKey string = ''

@description('S3 in the region of the bucket.')
param s3ServiceUrl string = 'https://s3.amazonaws.com'

@description('The roles in AWS by account or account/region, as JSON (D2C_AWS_ROLES); without any, give the app keys.')
param awsRoles string = ''

@description('The App ID URI that tokens for AWS are made out to (D2C_AWS_TOKEN_AUDIENCE).')
param awsTokenAudience string = ''

@description('The AWS account of plans that name none, if the roles are of several (D2C_AWS_ACCOUNT).')
param awsAccount string = ''

@description('The longest session of the roles in seconds (D2C_AWS_SESSION_SECONDS).')
param awsSessionSeconds string = ''

@description('The AWS account of the export bucket, if it is not that of the tables (D2C_EXPORT_BUCKET_OWNER).')
param exportBucketOwner string = ''

@description('Data Factory\'s credentials for the bucket (D2C_COPY_CREDENTIALS); the app decides if empty.')
@allowed(['', 'session', 'key_vault'])
param copyCredentials string = ''

@description('The speed of copies that sessions are calculated from (D2C_COPY_BYTES_PER_SECOND).')
param copyBytesPerSecond string = ''

@description('The id of the AWS access key that Data Factory reads S3 with, unless it gets credentials for each copy run.')
param awsAccessKeyId string = 'none'

@description('The object id of the service principal that Spark signs in with; empty if there is none yet.')
param sparkPrincipalId string = ''

@description('How Spark signs in to Cosmos DB.')
@allowed(['ServicePrincipal', 'ManagedIdentity'])
param sparkCosmosAuth string = 'ServicePrincipal'

@description('The cluster of load runs as JSON (D2C_CLUSTER); empty for the default one.')
param cluster string = ''

@description('The databases that plans may load into, separated by commas (D2C_ALLOWED_DATABASES); all if empty.')
param allowedDatabases string = ''

@description('The tables that plans may migrate, separated by commas (D2C_ALLOWED_TABLES); all if empty.')
param allowedTables string = ''

@description('The AWS accounts of tables that plans may migrate, separated by commas (D2C_ALLOWED_ACCOUNTS); all if empty.')
param allowedAccounts string = ''

@description('Prices of the estimate as JSON (D2C_PRICES); empty for the defaults.')
param prices string = ''

@description('The address that notifications are sent to (D2C_WEBHOOK_URL); it may hold a token.')
@secure()
param webhookUrl string = ''

@description('The secret that signs notifications (D2C_WEBHOOK_SECRET), or a reference to it in a vault.')
@secure()
param webhookSecret string = ''

@description('More app settings, by name. They win over those that are made here.')
@secure()
param appSettings { *: string } = {}

@description('Where Durable Functions keep their state.')
@allowed(['AzureStorage', 'azureManaged'])
param durableProvider string = 'AzureStorage'

@description('True to reach storage, vault and Cosmos DB from a virtual network only.')
param privateNetworking bool = false

@description('The Python version of the app.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.12'

var groupName = empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
var tags = { 'azd-env-name': environmentName, product: 'd2c' }
// As long as the roles that infra/aws/d2c-aws.yaml makes allow.
var longestSession = empty(awsRoles) ? '' : '43200'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = if (createResourceGroup) {
  name: groupName
  location: location
  tags: tags
}

module resources 'resources.bicep' = {
  name: 'd2c-resources'
  scope: resourceGroup(groupName)
  dependsOn: [group]
  params: {
    location: location
    tags: tags
    token: toLower(uniqueString(subscription().id, groupName, environmentName))
    existingCosmosAccount: existingCosmosAccount
    existingDatabricksWorkspace: existingDatabricksWorkspace
    copyRole: copyRole
    containerRole: containerRole
    lakePathConditions: lakePathConditions
    storageSku: storageSku
    createKeyVault: createKeyVault || copyCredentials == 'key_vault' || awsAccessKeyId != 'none'
    recoverKeyVault: recoverKeyVault
    s3ServiceUrl: s3ServiceUrl
    awsAccessKeyId: awsAccessKeyId
    sparkPrincipalId: sparkPrincipalId
    durableProvider: durableProvider
    privateNetworking: privateNetworking
    pythonVersion: pythonVersion
    // Empty ones count as missing (docs/install/settings.md).
    givenSettings: {
      D2C_EXPORT_BUCKET: exportBucket
      D2C_EXPORT_PREFIX: exportPrefix
      D2C_EXPORT_BUCKET_OWNER: exportBucketOwner
      D2C_EXPORT_KMS_KEY: exportKmsKey
      D2C_AWS_ROLES: awsRoles
      D2C_AWS_TOKEN_AUDIENCE: awsTokenAudience
      D2C_AWS_ACCOUNT: awsAccount
      D2C_AWS_SESSION_SECONDS: empty(awsSessionSeconds) ? longestSession : awsSessionSeconds
      D2C_COPY_CREDENTIALS: copyCredentials
      D2C_COPY_BYTES_PER_SECOND: copyBytesPerSecond
      D2C_CLUSTER: cluster
      D2C_SPARK_COSMOS_AUTH: sparkCosmosAuth
      D2C_ALLOWED_DATABASES: allowedDatabases
      D2C_ALLOWED_TABLES: allowedTables
      D2C_ALLOWED_ACCOUNTS: allowedAccounts
      D2C_PRICES: prices
      D2C_WEBHOOK_URL: webhookUrl
      D2C_WEBHOOK_SECRET: webhookSecret
    }
    moreSettings: appSettings
  }
}

// What d2c deploy reads: the app's own settings, and what Data Factory is to know of its surroundings.
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
output AZURE_RESOURCE_GROUP string = groupName
output D2C_RESOURCE_GROUP string = groupName
output D2C_EXPORT_BUCKET string = exportBucket
output D2C_LAKE__blobServiceUri string = resources.outputs.lakeBlobUri
output D2C_LAKE__dfsServiceUri string = resources.outputs.lakeDfsUri
output D2C_LAKE_FILE_SYSTEM string = resources.outputs.fileSystem
output D2C_DATA_FACTORY string = resources.outputs.dataFactoryName
output D2C_COSMOS_ACCOUNT string = resources.outputs.cosmosAccountName
output D2C_COSMOS_ENDPOINT string = resources.outputs.cosmosEndpoint
output DATABRICKS_HOST string = resources.outputs.databricksHost
output D2C_DATABRICKS_RESOURCE_ID string = resources.outputs.databricksId
output D2C_NOTEBOOK_PATH string = resources.outputs.notebookPath
output D2C_WHEEL_PATH string = resources.outputs.wheelPath
output D2C_CLUSTER string = cluster
output D2C_AWS_ROLES string = awsRoles
output D2C_AWS_TOKEN_AUDIENCE string = awsTokenAudience
output D2C_AWS_ACCOUNT string = awsAccount
output D2C_EXPORT_BUCKET_OWNER string = exportBucketOwner
output D2C_COPY_CREDENTIALS string = copyCredentials
output D2C_AWS_ACCESS_KEY_ID string = awsAccessKeyId
output D2C_S3_SERVICE_URL string = s3ServiceUrl
output D2C_KEY_VAULT_URL string = resources.outputs.keyVaultUrl
// What the second step (events.bicep) and people need.
output D2C_LAKE_NAME string = resources.outputs.lakeName
output D2C_FUNCTION_APP string = resources.outputs.functionAppName
output D2C_URL string = resources.outputs.functionAppUrl
output D2C_APP_CLIENT_ID string = resources.outputs.appClientId
output D2C_APP_PRINCIPAL_ID string = resources.outputs.appPrincipalId
