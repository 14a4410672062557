// The Durable Task Scheduler, where it keeps Durable Functions' state in the place of Azure Storage.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param appId string
param appPrincipalId string

var dataContributor = loadJsonContent('../roles.json').builtIn.durableTaskDataContributor.id

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // It takes identities only, and has no keys.
    ipAllowlist: ['0.0.0.0/0']
    sku: { name: 'Consumption' }
  }

  resource hub 'taskHubs' = {
    name: 'd2c'
  }
}

resource appUses 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler::hub.id, appId, dataContributor)
  scope: scheduler::hub
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataContributor)
  }
}

output endpoint string = scheduler.properties.endpoint
output taskHub string = scheduler::hub.name
