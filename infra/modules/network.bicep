// The network for an app, clusters and stores that are not reached from elsewhere.
param name string
param location string
param tags object

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.dfs.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
  'privatelink.documents.azure.com'
]

// Databricks adds the rules that its clusters need.
resource clusterRules 'Microsoft.Network/networkSecurityGroups@2024-01-01' = {
  name: 'nsg-${name}-databricks'
  location: location
  tags: tags
}

resource otherRules 'Microsoft.Network/networkSecurityGroups@2024-01-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/20'] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: '10.60.0.0/26'
          networkSecurityGroup: { id: otherRules.id }
          delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.60.1.0/26'
          networkSecurityGroup: { id: otherRules.id }
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
      {
        name: 'databricks-public'
        properties: {
          addressPrefix: '10.60.4.0/23'
          networkSecurityGroup: { id: clusterRules.id }
          delegations: [{ name: 'databricks', properties: { serviceName: 'Microsoft.Databricks/workspaces' } }]
        }
      }
      {
        name: 'databricks-private'
        properties: {
          addressPrefix: '10.60.6.0/23'
          networkSecurityGroup: { id: clusterRules.id }
          delegations: [{ name: 'databricks', properties: { serviceName: 'Microsoft.Databricks/workspaces' } }]
        }
      }
    ]
  }

  resource functions 'subnets' existing = {
    name: 'functions'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = [for zoneName in zones: {
  name: zoneName
  location: 'global'
  tags: tags
}]

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (zoneName, number) in zones: {
  parent: zone[number]
  name: name
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]

output id string = network.id
output functionsSubnetId string = network::functions.id
output endpointsSubnetId string = network::endpoints.id
