// The network for an app, clusters and stores that are not reached from elsewhere. What the app and clusters call outside
// of it, such as AWS and Entra ID, they reach from one fixed address.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.dfs.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
  'privatelink.documents.azure.com'
]

// What a workspace demands of the rules of its subnets. It would add them itself, but then refuse a second deployment,
// which leaves them out. https://github.com/Azure/azure-quickstart-templates/issues/6670
var clusterTraffic = [
  { name: 'worker-inbound', to: 'VirtualNetwork', protocol: '*', ports: { destinationPortRange: '*' }, priority: 100 }
  { name: 'worker-outbound', to: 'VirtualNetwork', protocol: '*', ports: { destinationPortRange: '*' }, priority: 100 }
  {
    name: 'databricks-webapp'
    to: 'AzureDatabricks'
    protocol: 'Tcp'
    ports: { destinationPortRanges: ['443', '3306', '8443-8451'] }
    priority: 101
  }
  { name: 'sql', to: 'Sql', protocol: 'Tcp', ports: { destinationPortRange: '3306' }, priority: 102 }
  { name: 'storage', to: 'Storage', protocol: 'Tcp', ports: { destinationPortRange: '443' }, priority: 103 }
  { name: 'eventhub', to: 'EventHub', protocol: 'Tcp', ports: { destinationPortRange: '9093' }, priority: 104 }
]

resource clusterRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: 'nsg-${name}-databricks'
  location: location
  tags: tags
  properties: {
    securityRules: [
      for each in clusterTraffic: {
        name: 'Microsoft.Databricks-workspaces_UseOnly_databricks-worker-to-${each.name}'
        properties: union(
          {
            access: 'Allow'
            direction: endsWith(each.name, 'inbound') ? 'Inbound' : 'Outbound'
            priority: each.priority
            protocol: each.protocol
            sourceAddressPrefix: 'VirtualNetwork'
            sourcePortRange: '*'
            destinationAddressPrefix: each.to
          },
          each.ports
        )
      }
    ]
  }
}

resource otherRules 'Microsoft.Network/networkSecurityGroups@2025-09-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource wayOutAddress 'Microsoft.Network/publicIPAddresses@2025-09-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource wayOut 'Microsoft.Network/natGateways@2025-09-01' = {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: wayOutAddress.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
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
          defaultOutboundAccess: false
          natGateway: { id: wayOut.id }
          networkSecurityGroup: { id: otherRules.id }
          delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.60.1.0/26'
          defaultOutboundAccess: false
          networkSecurityGroup: { id: otherRules.id }
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
      {
        name: 'databricks-public'
        properties: {
          addressPrefix: '10.60.4.0/23'
          defaultOutboundAccess: false
          natGateway: { id: wayOut.id }
          networkSecurityGroup: { id: clusterRules.id }
          delegations: [{ name: 'databricks', properties: { serviceName: 'Microsoft.Databricks/workspaces' } }]
        }
      }
      {
        name: 'databricks-private'
        properties: {
          addressPrefix: '10.60.6.0/23'
          defaultOutboundAccess: false
          natGateway: { id: wayOut.id }
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

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zones: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, number) in zones: {
    parent: zone[number]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

output id string = network.id
output functionsSubnetId string = network::functions.id
output endpointsSubnetId string = network::endpoints.id
