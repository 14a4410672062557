// The Databricks workspace, new or existing. A new one has an access connector: the identity with which Unity Catalog
// reaches the lake.
import { resourceTags } from 'types.bicep'

param name string
param connectorName string
param create bool
param location string
param tags resourceTags
@description('The network that clusters run in; empty for one that Databricks manages.')
param virtualNetworkId string

var ownNetwork = empty(virtualNetworkId)
  ? {}
  : {
      customVirtualNetworkId: { value: virtualNetworkId }
      customPublicSubnetName: { value: 'databricks-public' }
      customPrivateSubnetName: { value: 'databricks-private' }
    }

resource created 'Microsoft.Databricks/workspaces@2026-01-01' = if (create) {
  name: name
  location: location
  tags: tags
  sku: { name: 'premium' }
  properties: {
    computeMode: 'Hybrid'
    managedResourceGroupId: subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg-${name}-managed')
    publicNetworkAccess: 'Enabled'
    requiredNsgRules: 'AllRules'
    // Clusters have no public addresses.
    parameters: union({ enableNoPublicIp: { value: true } }, ownNetwork)
  }
}

resource workspace 'Microsoft.Databricks/workspaces@2026-01-01' existing = {
  name: name
}

resource connector 'Microsoft.Databricks/accessConnectors@2026-01-01' = if (create) {
  name: connectorName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
}

output id string = create ? created.id : workspace.id
output host string = 'https://${create ? created!.properties.workspaceUrl : workspace.properties.workspaceUrl}'
output connectorPrincipalId string = create ? connector!.identity.principalId : ''
