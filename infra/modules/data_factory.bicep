// The data factory; its definitions are published by `d2c deploy`. Whoever deploys may do more than the app, which has
// a role made for it: the calls that d2c/clients make, and no others.
param name string
param location string
param tags object
param appPrincipalId string
@description('The global parameters with types and values; d2c deploy sets the same.')
param globalParameters object

var groupId = resourceGroup().id

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

resource runsCopies 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(groupId, name, 'd2c runs copies')
  properties: {
    roleName: 'd2c runs copies (${name})'
    description: 'Starts, finds, watches and cancels runs of pipelines, and reads what is deployed.'
    type: 'CustomRole'
    assignableScopes: [groupId]
    permissions: [
      {
        actions: [
          'Microsoft.DataFactory/factories/read'
          'Microsoft.DataFactory/factories/datasets/read'
          'Microsoft.DataFactory/factories/linkedservices/read'
          'Microsoft.DataFactory/factories/pipelines/read'
          'Microsoft.DataFactory/factories/pipelines/createrun/action'
          'Microsoft.DataFactory/factories/pipelineruns/read'
          'Microsoft.DataFactory/factories/pipelineruns/cancel/action'
          'Microsoft.DataFactory/factories/pipelineruns/queryactivityruns/action'
          'Microsoft.DataFactory/factories/querypipelineruns/action'
          'Microsoft.DataFactory/factories/querypipelineruns/read'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource appRunsCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(factory.id, appPrincipalId, runsCopies.id)
  scope: factory
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: runsCopies.id
  }
}

output id string = factory.id
output name string = factory.name
output principalId string = factory.identity.principalId
