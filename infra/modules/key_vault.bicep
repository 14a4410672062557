// The vault for the AWS secret access key that Data Factory reads S3 with, where it gets no credentials for each run.
param name string
param location string
param tags object
param factoryPrincipalId string
param privateNetworking bool

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Data Factory is among the trusted services.
      bypass: 'AzureServices'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
  }
}

resource factoryReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, factoryPrincipalId, roles.keyVaultSecretsUser.id)
  scope: vault
  properties: {
    principalId: factoryPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser.id)
  }
}

output id string = vault.id
output url string = vault.properties.vaultUri
