// The data factory; its definitions are published by `d2c deploy`. Whoever deploys may do more than the app, which has
// a role made for it: the calls that d2c/clients make, and no others.
import { customRole, factoryParameters, resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param appId string
param appPrincipalId string
@description('The id (a GUID) of a role for the app to use; empty to create one.')
param existingRole string
@description('The global parameters with types and values; d2c deploy sets the same.')
param globalParameters factoryParameters

var role customRole = loadJsonContent('../roles.json').custom.runsCopies
var groupId = resourceGroup().id
var roleName = empty(existingRole) ? guid(groupId, name, role.name) : existingRole

resource factory 'Microsoft.DataFactory/factories@2018-06-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    publicNetworkAccess: 'Enabled'
    globalParameters: globalParameters
  }
}

resource runsCopies 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (empty(existingRole)) {
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

resource appRunsCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(factory.id, appId, roleName)
  scope: factory
  dependsOn: [runsCopies]
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
}

output principalId string = factory.identity.principalId
