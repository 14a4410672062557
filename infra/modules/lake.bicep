// The lake: exports, plans, load requests, results and reports. No shared key.
param name string
param location string
param tags object
param fileSystem string
param appPrincipalId string
param factoryPrincipalId string
param factoryId string
@description('The identity of the access connector, with which Unity Catalog reaches the lake; empty if there is none.')
param connectorPrincipalId string
param sparkPrincipalId string
param privateNetworking bool

var roles = loadJsonContent('../roles.json')

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    isHnsEnabled: true
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Data Factory's copies come from its own network; only a rule for this one factory lets them in.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
      resourceAccessRules: privateNetworking ? [{ tenantId: tenant().tenantId, resourceId: factoryId }] : []
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource files 'containers' = {
      name: fileSystem
    }
  }
}

resource appWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::files.id, appPrincipalId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
  }
}

resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageQueueDataContributor.id)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataContributor.id)
  }
}

resource factoryWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::files.id, factoryPrincipalId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: factoryPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
  }
}

resource connectorWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(connectorPrincipalId)) {
  name: guid(account::blobs::files.id, connectorPrincipalId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: connectorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
  }
}

resource sparkWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(sparkPrincipalId)) {
  name: guid(account::blobs::files.id, sparkPrincipalId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: sparkPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
  }
}

output id string = account.id
output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output dfsUri string = account.properties.primaryEndpoints.dfs
