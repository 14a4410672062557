// The private addresses of the stores; a vault's where there is one.
import { resourceTags } from 'types.bicep'

param token string
param location string
param tags resourceTags
param hostStorageId string
param lakeId string
param cosmosId string
@description('Empty if there is no vault.')
param keyVaultId string
param subnetId string

var storage = environment().suffixes.storage
var links = [
  { name: 'host-blob', id: hostStorageId, group: 'blob', zone: 'privatelink.blob.${storage}' }
  { name: 'host-queue', id: hostStorageId, group: 'queue', zone: 'privatelink.queue.${storage}' }
  { name: 'host-table', id: hostStorageId, group: 'table', zone: 'privatelink.table.${storage}' }
  { name: 'lake-blob', id: lakeId, group: 'blob', zone: 'privatelink.blob.${storage}' }
  { name: 'lake-queue', id: lakeId, group: 'queue', zone: 'privatelink.queue.${storage}' }
  { name: 'lake-dfs', id: lakeId, group: 'dfs', zone: 'privatelink.dfs.${storage}' }
  { name: 'cosmos', id: cosmosId, group: 'Sql', zone: 'privatelink.documents.azure.com' }
  { name: 'vault', id: keyVaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
]

module endpoint 'private_endpoint.bicep' = [
  for link in links: if (!empty(link.id)) {
    name: 'd2c-endpoint-${link.name}'
    params: {
      name: 'pe-${link.name}-${token}'
      location: location
      tags: tags
      resourceId: link.id
      group: link.group
      zone: link.zone
      subnetId: subnetId
    }
  }
]
