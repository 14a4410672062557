// The Functions runtime's own account: its state, Durable Functions' state, the app's package. No shared key.
import { redundancy, resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param sku redundancy
param appId string
param appPrincipalId string
param privateNetworking bool

var roles = loadJsonContent('../roles.json').builtIn
var packageContainer = 'app-package'
var appRoleIds = [
  roles.storageBlobDataOwner.id
  roles.storageQueueDataContributor.id
  roles.storageTableDataContributor.id
]

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource packages 'containers' = {
      name: packageContainer
    }
  }
}

resource appUses 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in appRoleIds: {
    name: guid(account.id, appId, roleId)
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    }
  }
]

output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${packageContainer}'
