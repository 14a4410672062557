// One store's private address in the network, and its name in the network's own zone.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param resourceId string
@description('The part of the resource, such as blob.')
param group string
@description('The private DNS zone; network.bicep has made it.')
param zone string
param subnetId string

resource dnsZone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zone
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: name, properties: { privateLinkServiceId: resourceId, groupIds: [group] } }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: group, properties: { privateDnsZoneId: dnsZone.id } }]
    }
  }
}
