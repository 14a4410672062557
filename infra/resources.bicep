// The resources in one group, and what each tells the others.
import { redundancy, resourceTags } from 'modules/types.bicep'

param location string
param tags resourceTags
@description('Makes names unique that must be so in all of Azure.')
param token string
param existingCosmosAccount string
param existingDatabricksWorkspace string
param copyRole string
param containerRole string
param lakePathConditions bool
param storageSku redundancy
param createKeyVault bool
param recoverKeyVault bool
param s3ServiceUrl string
param awsAccessKeyId string
param sparkPrincipalId string
param durableProvider string
param privateNetworking bool
param pythonVersion string
@description('The app settings that the parameters of the deployment give.')
@secure()
param givenSettings { *: string }
@description('App settings that win over all others.')
@secure()
param moreSettings { *: string }

var fileSystem = 'lake'
var notebookPath = '/Shared/d2c/load_table'
var wheelPath = '/Workspace/Shared/d2c/libraries'
var secretScope = 'd2c'
// Plain names, so that nothing waits for what it only has to name.
var lakeName = 'stlake${token}'
var hostStorageName = 'sthost${token}'
var keyVaultName = 'kv-${token}'
var cosmosName = empty(existingCosmosAccount) ? 'cosmos-${token}' : existingCosmosAccount
var workspaceName = empty(existingDatabricksWorkspace) ? 'dbw-${token}' : existingDatabricksWorkspace
var connectorName = 'dbac-${workspaceName}'
var dataFactoryName = 'adf-${token}'
var identityName = 'id-d2c-${token}'
// Ids made of names: the names of role assignments are made of them, so a preview foresees these.
var appId = resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', identityName)
var factoryId = resourceId('Microsoft.DataFactory/factories', dataFactoryName)
var connectorId = empty(existingDatabricksWorkspace)
  ? resourceId('Microsoft.Databricks/accessConnectors', connectorName)
  : ''

module identity 'modules/identity.bicep' = {
  name: 'd2c-identity'
  params: {
    name: identityName
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
    appId: appId
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
    name: dataFactoryName
    location: location
    tags: tags
    appId: appId
    appPrincipalId: identity.outputs.principalId
    existingRole: copyRole
    globalParameters: {
      lakeUrl: { type: 'String', value: 'https://${lakeName}.dfs.${environment().suffixes.storage}/' }
      s3ServiceUrl: { type: 'String', value: s3ServiceUrl }
      awsAccessKeyId: { type: 'String', value: awsAccessKeyId }
      keyVaultUrl: {
        type: 'String'
        value: createKeyVault ? 'https://${keyVaultName}${environment().suffixes.keyvaultDns}/' : 'unused'
      }
    }
  }
}

module keyVault 'modules/key_vault.bicep' = if (createKeyVault) {
  name: 'd2c-key-vault'
  params: {
    name: keyVaultName
    location: location
    tags: tags
    recover: recoverKeyVault
    appId: appId
    appPrincipalId: identity.outputs.principalId
    factoryId: factoryId
    factoryPrincipalId: dataFactory.outputs.principalId
    privateNetworking: privateNetworking
  }
}

module databricks 'modules/databricks.bicep' = {
  name: 'd2c-databricks'
  params: {
    name: workspaceName
    connectorName: connectorName
    create: empty(existingDatabricksWorkspace)
    location: location
    tags: tags
    virtualNetworkId: privateNetworking ? network!.outputs.id : ''
  }
}

module lake 'modules/lake.bicep' = {
  name: 'd2c-lake'
  params: {
    name: lakeName
    location: location
    tags: tags
    sku: storageSku
    fileSystem: fileSystem
    appId: appId
    appPrincipalId: identity.outputs.principalId
    factoryId: factoryId
    factoryPrincipalId: dataFactory.outputs.principalId
    connectorId: connectorId
    connectorPrincipalId: databricks.outputs.connectorPrincipalId
    sparkPrincipalId: sparkPrincipalId
    pathConditions: lakePathConditions
    privateNetworking: privateNetworking
  }
}

module hostStorage 'modules/host_storage.bicep' = {
  name: 'd2c-host-storage'
  params: {
    name: hostStorageName
    location: location
    tags: tags
    sku: storageSku
    appId: appId
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
    appId: appId
    appPrincipalId: identity.outputs.principalId
    existingRole: containerRole
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
    appId: appId
    appPrincipalId: identity.outputs.principalId
  }
}

module privateLinks 'modules/private_links.bicep' = if (privateNetworking) {
  name: 'd2c-private-links'
  dependsOn: [hostStorage, lake, keyVault, cosmos]
  params: {
    token: token
    location: location
    tags: tags
    hostStorageId: resourceId('Microsoft.Storage/storageAccounts', hostStorageName)
    lakeId: resourceId('Microsoft.Storage/storageAccounts', lakeName)
    cosmosId: resourceId('Microsoft.DocumentDB/databaseAccounts', cosmosName)
    keyVaultId: createKeyVault ? resourceId('Microsoft.KeyVault/vaults', keyVaultName) : ''
    subnetId: network!.outputs.endpointsSubnetId
  }
}

// The app's settings (docs/install/settings.md). None of these holds a secret: the app signs in with its identity
// everywhere.
var appSettings = {
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.outputs.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
  // A thread for each activity and orchestrator that host.json allows at once; one core has 5 by default.
  PYTHON_THREADPOOL_THREAD_COUNT: '32'
  AZURE_CLIENT_ID: identity.outputs.clientId
  AZURE_SUBSCRIPTION_ID: subscription().subscriptionId
  D2C_RESOURCE_GROUP: resourceGroup().name
  D2C_LAKE__blobServiceUri: lake.outputs.blobUri
  D2C_LAKE__queueServiceUri: lake.outputs.queueUri
  D2C_LAKE__credential: 'managedidentity'
  D2C_LAKE__clientId: identity.outputs.clientId
  D2C_LAKE_FILE_SYSTEM: fileSystem
  D2C_DATA_FACTORY: dataFactoryName
  D2C_COSMOS_ACCOUNT: cosmosName
  D2C_COSMOS_ENDPOINT: cosmos.outputs.endpoint
  DATABRICKS_HOST: databricks.outputs.host
  D2C_NOTEBOOK_PATH: notebookPath
  D2C_WHEEL_PATH: wheelPath
  D2C_SECRET_SCOPE: secretScope
  D2C_WATCH_SCHEDULE: '0 */5 * * * *'
}

// These take the place of values in host.json.
// https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
var durableSettings = durableProvider == 'azureManaged'
  ? {
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${durableTask!.outputs.endpoint};TaskHub=${durableTask!.outputs.taskHub};Authentication=ManagedIdentity;ClientID=${identity.outputs.clientId}'
      AzureFunctionsJobHost__extensions__durableTask__hubName: durableTask!.outputs.taskHub
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
    }
  : {}

module functionApp 'modules/function_app.bicep' = {
  name: 'd2c-function-app'
  // The host starts at once, and reaches its storage by the endpoint alone.
  dependsOn: [privateLinks]
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: appId
    packageContainerUrl: hostStorage.outputs.packageContainerUrl
    pythonVersion: pythonVersion
    settings: union(appSettings, durableSettings, givenSettings, moreSettings)
    subnetId: privateNetworking ? network!.outputs.functionsSubnetId : ''
  }
}

output lakeName string = lakeName
output lakeBlobUri string = lake.outputs.blobUri
output lakeDfsUri string = lake.outputs.dfsUri
output fileSystem string = fileSystem
output dataFactoryName string = dataFactoryName
output cosmosAccountName string = cosmosName
output cosmosEndpoint string = cosmos.outputs.endpoint
output databricksHost string = databricks.outputs.host
output databricksId string = databricks.outputs.id
output notebookPath string = notebookPath
output wheelPath string = wheelPath
output keyVaultUrl string = createKeyVault ? keyVault!.outputs.url : ''
output functionAppName string = 'func-${token}'
output functionAppUrl string = functionApp.outputs.url
output appClientId string = identity.outputs.clientId
output appPrincipalId string = identity.outputs.principalId
