// The Functions runtime's own account: its state, Durable Functions' state, the app's package. No shared key.
param name string
param location string
param tags object
param appPrincipalId string
param privateNetworking bool

var roles = loadJsonContent('../roles.json')
var packageContainer = 'app-package'
var appRoleIds = [
  roles.storageBlobDataOwner.id
  roles.storageQueueDataContributor.id
  roles.storageTableDataContributor.id
]

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
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

resource appUses 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for roleId in appRoleIds: {
  name: guid(account.id, appPrincipalId, roleId)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}]

output id string = account.id
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${packageContainer}'
