// The Cosmos DB account, new or existing, and who may do what in it. Nobody needs its keys.
param name string
param create bool
param location string
param tags object
param appPrincipalId string
param sparkPrincipalId string
param privateNetworking bool

var roles = loadJsonContent('../roles.json')
// Cosmos DB's own roles, for its data plane; the same in every account.
// https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security
var dataReader = '00000000-0000-0000-0000-000000000001'
var dataContributor = '00000000-0000-0000-0000-000000000002'

resource created 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' = if (create) {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }
}

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' existing = {
  name: name
}

resource appManages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.cosmosDbOperator.id)
  scope: account
  dependsOn: [created]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cosmosDbOperator.id)
  }
}

resource appReads 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-05-15' = {
  parent: account
  name: guid(account.id, appPrincipalId, dataReader)
  dependsOn: [created]
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataReader}'
    scope: account.id
  }
}

resource sparkWrites 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-05-15' = if (!empty(sparkPrincipalId)) {
  parent: account
  name: guid(account.id, sparkPrincipalId, dataContributor)
  // An account takes one change at a time.
  dependsOn: [appReads]
  properties: {
    principalId: sparkPrincipalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
    scope: account.id
  }
}

output id string = account.id
output name string = account.name
output endpoint string = 'https://${name}.documents.azure.com:443/'
