// The Cosmos DB account, new or existing, and who may do what in it. Nobody needs its keys.
import { customRole, resourceTags } from 'types.bicep'

param name string
param create bool
param location string
param tags resourceTags
param appId string
param appPrincipalId string
@description('The id (a GUID) of a role for the app to use; empty to create one.')
param existingRole string
param sparkPrincipalId string
param privateNetworking bool

var tables = loadJsonContent('../roles.json')
var role customRole = tables.custom.managesContainers
// Cosmos DB's own roles, for its data plane; the same in every account.
// https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security
var dataReader = tables.dataPlane.dataReader.id
var dataContributor = tables.dataPlane.dataContributor.id
var groupId = resourceGroup().id
var roleName = empty(existingRole) ? guid(groupId, name, role.name) : existingRole

resource created 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = if (create) {
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

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' existing = {
  name: name
}

resource managesContainers 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (empty(existingRole)) {
  name: roleName
  properties: {
    roleName: '${role.name} (${name})'
    description: role.description
    type: 'CustomRole'
    assignableScopes: [groupId]
    permissions: [
      {
        actions: role.actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource appManages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appId, roleName)
  scope: account
  dependsOn: [created, managesContainers]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
}

resource appReads 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = {
  parent: account
  name: guid(account.id, appId, dataReader)
  dependsOn: [created]
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataReader}'
    scope: account.id
  }
}

resource sparkWrites 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = if (!empty(sparkPrincipalId)) {
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

output endpoint string = 'https://${name}.documents.azure.com:443/'
