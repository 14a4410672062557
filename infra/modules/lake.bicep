// The lake: exports, plans, load requests, results and reports. No shared key.
import { redundancy, resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param sku redundancy
param fileSystem string
param appId string
param appPrincipalId string
param factoryId string
param factoryPrincipalId string
@description('The access connector, with which Unity Catalog reaches the lake; empty if there is none.')
param connectorId string
param connectorPrincipalId string
param sparkPrincipalId string
@description('True to limit Data Factory and Spark to the paths that they use.')
param pathConditions bool
param privateNetworking bool

var tables = loadJsonContent('../roles.json')
var roles = tables.builtIn
var contributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor.id)
// https://learn.microsoft.com/azure/storage/blobs/storage-auth-abac-examples
var factoryCondition = join(tables.lakeConditions.factory, ' ')
var sparkCondition = join(tables.lakeConditions.spark, ' ')

var factoryRule = { tenantId: tenant().tenantId, resourceId: factoryId }
var connectorRule = { tenantId: tenant().tenantId, resourceId: connectorId }

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    isHnsEnabled: true
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Data Factory's copies and Unity Catalog come from networks of their own; rules for these two resources let them in.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
      resourceAccessRules: !privateNetworking ? [] : empty(connectorId) ? [factoryRule] : [factoryRule, connectorRule]
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      // A lake has no versions: what is overwritten is gone, what is deleted comes back.
      // https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview
      deleteRetentionPolicy: { enabled: true, days: 14 }
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    }

    resource files 'containers' = {
      name: fileSystem
    }
  }
}

resource appWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::files.id, appId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributor
  }
}

resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appId, roles.storageQueueDataContributor.id)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageQueueDataContributor.id
    )
  }
}

resource factoryWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::files.id, factoryId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: factoryPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributor
    condition: pathConditions ? factoryCondition : null
    conditionVersion: pathConditions ? '2.0' : null
  }
}

resource connectorWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(connectorId)) {
  name: guid(account::blobs::files.id, connectorId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: connectorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributor
    condition: pathConditions ? sparkCondition : null
    conditionVersion: pathConditions ? '2.0' : null
  }
}

// Unity Catalog makes a token for each request; the right to do so is one on the account.
// https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key
resource connectorDelegates 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(connectorId)) {
  name: guid(account.id, connectorId, roles.storageBlobDelegator.id)
  scope: account
  properties: {
    principalId: connectorPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDelegator.id)
  }
}

resource sparkWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(sparkPrincipalId)) {
  name: guid(account::blobs::files.id, sparkPrincipalId, roles.storageBlobDataContributor.id)
  scope: account::blobs::files
  properties: {
    principalId: sparkPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributor
    condition: pathConditions ? sparkCondition : null
    conditionVersion: pathConditions ? '2.0' : null
  }
}

output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output dfsUri string = account.properties.primaryEndpoints.dfs
