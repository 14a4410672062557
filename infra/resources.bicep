// The resources in one group, and what each tells the others.
param location string
param tags object
@description('Makes names unique that must be so in all of Azure.')
param token string
param existingCosmosAccount string
param existingDatabricksWorkspace string
param exportBucket string
param s3ServiceUrl string
param awsRoles string
param awsTokenAudience string
param awsAccount string
param exportBucketOwner string
param awsAccessKeyId string
param sparkPrincipalId string
param sparkCosmosAuth string
param cluster string
param durableProvider string
param privateNetworking bool
param pythonVersion string

var fileSystem = 'lake'
var notebookPath = '/Shared/d2c/load_table'
var wheelPath = '/Workspace/Shared/d2c/libraries'
var secretScope = 'd2c'
// Plain names, so that nothing waits for what it only has to name.
var lakeName = 'stlake${token}'
var hostStorageName = 'sthost${token}'
var keyVaultName = 'kv-${token}'
var cosmosName = empty(existingCosmosAccount) ? 'cosmos-${token}' : existingCosmosAccount
var functionAppName = 'func-${token}'

module identity 'modules/identity.bicep' = {
  name: 'd2c-identity'
  params: {
    name: 'id-d2c-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'd2c-monitoring'
  params: {
    name: 'appi-${token}'
    workspaceName: 'log-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'd2c-network'
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
  }
}

module dataFactory 'modules/data_factory.bicep' = {
  name: 'd2c-data-factory'
  params: {
    name: 'adf-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    globalParameters: {
      lakeUrl: { type: 'String', value: 'https://${lakeName}.dfs.${environment().suffixes.storage}/' }
      s3ServiceUrl: { type: 'String', value: s3ServiceUrl }
      awsAccessKeyId: { type: 'String', value: awsAccessKeyId }
      keyVaultUrl: { type: 'String', value: 'https://${keyVaultName}${environment().suffixes.keyvaultDns}/' }
    }
  }
}

module keyVault 'modules/key_vault.bicep' = {
  name: 'd2c-key-vault'
  params: {
    name: keyVaultName
    location: location
    tags: tags
    factoryPrincipalId: dataFactory.outputs.principalId
    privateNetworking: privateNetworking
  }
}

module databricks 'modules/databricks.bicep' = {
  name: 'd2c-databricks'
  params: {
    name: empty(existingDatabricksWorkspace) ? 'dbw-${token}' : existingDatabricksWorkspace
    create: empty(existingDatabricksWorkspace)
    location: location
    tags: tags
    virtualNetworkId: privateNetworking ? network.outputs.id : ''
  }
}

module lake 'modules/lake.bicep' = {
  name: 'd2c-lake'
  params: {
    name: lakeName
    location: location
    tags: tags
    fileSystem: fileSystem
    appPrincipalId: identity.outputs.principalId
    factoryPrincipalId: dataFactory.outputs.principalId
    factoryId: dataFactory.outputs.id
    connectorPrincipalId: databricks.outputs.connectorPrincipalId
    sparkPrincipalId: sparkPrincipalId
    privateNetworking: privateNetworking
  }
}

module hostStorage 'modules/host_storage.bicep' = {
  name: 'd2c-host-storage'
  params: {
    name: hostStorageName
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    privateNetworking: privateNetworking
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'd2c-cosmos'
  params: {
    name: cosmosName
    create: empty(existingCosmosAccount)
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    sparkPrincipalId: sparkPrincipalId
    privateNetworking: privateNetworking
  }
}

module durableTask 'modules/durable_task.bicep' = if (durableProvider == 'azureManaged') {
  name: 'd2c-durable-task'
  params: {
    name: 'dts-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
  }
}

// Ids made of names: a loop's list must be known before anything is created.
var hostStorageId = resourceId('Microsoft.Storage/storageAccounts', hostStorageName)
var lakeId = resourceId('Microsoft.Storage/storageAccounts', lakeName)
var storageDomain = environment().suffixes.storage
var privateLinks = [
  { name: 'host-blob', id: hostStorageId, group: 'blob', zone: 'privatelink.blob.${storageDomain}' }
  { name: 'host-queue', id: hostStorageId, group: 'queue', zone: 'privatelink.queue.${storageDomain}' }
  { name: 'host-table', id: hostStorageId, group: 'table', zone: 'privatelink.table.${storageDomain}' }
  { name: 'lake-blob', id: lakeId, group: 'blob', zone: 'privatelink.blob.${storageDomain}' }
  { name: 'lake-queue', id: lakeId, group: 'queue', zone: 'privatelink.queue.${storageDomain}' }
  { name: 'lake-dfs', id: lakeId, group: 'dfs', zone: 'privatelink.dfs.${storageDomain}' }
  { name: 'vault', id: resourceId('Microsoft.KeyVault/vaults', keyVaultName), group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
  { name: 'cosmos', id: resourceId('Microsoft.DocumentDB/databaseAccounts', cosmosName), group: 'Sql', zone: 'privatelink.documents.azure.com' }
]

module privateLink 'modules/private_endpoint.bicep' = [for link in privateLinks: if (privateNetworking) {
  name: 'd2c-endpoint-${link.name}'
  dependsOn: [hostStorage, lake, keyVault, cosmos]
  params: {
    name: 'pe-${link.name}-${token}'
    location: location
    tags: tags
    resourceId: link.id
    group: link.group
    zone: link.zone
    subnetId: network.outputs.endpointsSubnetId
  }
}]

// The app's settings (docs/install/settings.md). None holds a secret: the app signs in with its identity everywhere.
var appSettings = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  D2C_RESOURCE_GROUP: resourceGroup().name
  D2C_EXPORT_BUCKET: exportBucket
  D2C_AWS_ROLES: awsRoles
  D2C_AWS_TOKEN_AUDIENCE: awsTokenAudience
  D2C_AWS_ACCOUNT: awsAccount
  D2C_EXPORT_BUCKET_OWNER: exportBucketOwner
  D2C_LAKE__blobServiceUri: lake.outputs.blobUri
  D2C_LAKE__queueServiceUri: lake.outputs.queueUri
  D2C_LAKE__credential: 'managedidentity'
  D2C_LAKE__clientId: identity.outputs.clientId
  D2C_LAKE_FILE_SYSTEM: fileSystem
  D2C_DATA_FACTORY: dataFactory.outputs.name
  D2C_COSMOS_ACCOUNT: cosmos.outputs.name
  D2C_COSMOS_ENDPOINT: cosmos.outputs.endpoint
  DATABRICKS_HOST: databricks.outputs.host
  D2C_NOTEBOOK_PATH: notebookPath
  D2C_WHEEL_PATH: wheelPath
  D2C_CLUSTER: cluster
  D2C_SECRET_SCOPE: secretScope
  D2C_SPARK_COSMOS_AUTH: sparkCosmosAuth
  D2C_WATCH_SCHEDULE: '0 */5 * * * *'
}

// These take the place of values in host.json.
// https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
var durableSettings = durableProvider == 'azureManaged' ? {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${durableTask.outputs.endpoint};TaskHub=${durableTask.outputs.taskHub};Authentication=ManagedIdentity;ClientID=${identity.outputs.clientId}'
  AzureFunctionsJobHost__extensions__durableTask__hubName: durableTask.outputs.taskHub
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
} : {}

module functionApp 'modules/function_app.bicep' = {
  name: 'd2c-function-app'
  params: {
    name: functionAppName
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    packageContainerUrl: hostStorage.outputs.packageContainerUrl
    pythonVersion: pythonVersion
    settings: union(appSettings, durableSettings)
    subnetId: privateNetworking ? network.outputs.functionsSubnetId : ''
  }
}

output lakeName string = lakeName
output lakeBlobUri string = lake.outputs.blobUri
output lakeDfsUri string = lake.outputs.dfsUri
output fileSystem string = fileSystem
output dataFactoryName string = dataFactory.outputs.name
output cosmosAccountName string = cosmos.outputs.name
output cosmosEndpoint string = cosmos.outputs.endpoint
output databricksHost string = databricks.outputs.host
output databricksId string = databricks.outputs.id
output notebookPath string = notebookPath
output wheelPath string = wheelPath
output keyVaultUrl string = keyVault.outputs.url
output functionAppName string = functionAppName
output functionAppUrl string = functionApp.outputs.url
output appClientId string = identity.outputs.clientId
output appPrincipalId string = identity.outputs.principalId
